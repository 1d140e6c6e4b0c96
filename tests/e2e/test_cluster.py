"""The local cluster itself: it works, is left alone when it works, replaced when not, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tools.cluster.host import cache
from tools.cluster.host.processes import command_line, descendants, wait_until
from tools.cluster.images import buildah, images, oci
from tools.cluster.instance import CHECKOUT, Instance
from tools.cluster.kind.cluster import docker_answers
from tools.cluster.packages import manifests, network, state
from tools.cluster.packages.node import KERNEL_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        docker_answers(), reason="a Docker engine answers, so kind makes the cluster and there is no local one"
    ),
]

#: Not the one that other tests and the demo share: these tests break theirs.
_INSTANCE = Instance.of("cluster-test")
_SECURE = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
_POD_SECURITY = {"runAsNonRoot": True, "fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
#: Asks the Service by name, then leaves what it got in the volume.
_CLIENT = """
import pathlib, urllib.request
text = urllib.request.urlopen("http://web.default.svc.cluster.local/", timeout=5).read()
pathlib.Path("/data/answer").write_bytes(text)
print(len(text))
"""


def _command(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.cluster", "--name", _INSTANCE.name, *words]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def _up() -> subprocess.CompletedProcess[str]:
    done = _command("up")
    assert done.returncode == 0, done.stderr
    return done


def _kubectl(*words: str, stdin: str | None = None) -> str:
    kube = state.load(_INSTANCE.state)
    assert kube is not None
    kubeconfig = _command("kubeconfig").stdout.strip()
    command = [kube.program, "kubectl", "--kubeconfig", kubeconfig, *words]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _process() -> int:
    """Return the id of the process that holds the node's namespaces."""
    found = state.load(_INSTANCE.state)
    assert found is not None
    assert found.process is not None
    return found.process.pid


@pytest.fixture(scope="module", autouse=True)
def _gone_afterwards() -> Iterator[None]:
    yield
    assert _command("down").returncode == 0


def _pod(command: list[str], **more: Any) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": "main",
        "image": images.reference("operator"),
        "command": command,
        "securityContext": _SECURE,
    }
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    container |= {"volumeMounts": [{"name": "data", "mountPath": "/data"}], **more.pop("container", {})}
    return {"securityContext": _POD_SECURITY, "containers": [container], "volumes": volumes, **more}


def _workload() -> str:
    """Return a claim, a web server behind a Service, and a Job that asks it by name."""
    probe = {"container": {"readinessProbe": {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1}}}
    server = _pod(["python", "-m", "http.server", "8000", "--directory", "/opt/perennate"], **probe)
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": server}
    claim = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
    client = {"template": {"spec": _pod(["python", "-c", _CLIENT], restartPolicy="OnFailure")}}
    items = [
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": claim},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8000}]},
        },
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "client"},
            "spec": client,
        },
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def test_pods_find_each_other_by_name_and_keep_data() -> None:
    """DNS, Services, probes, fsGroup and locked-down containers work together; a freed volume is offered again."""
    _up()
    loaded = _command("images", "operator")
    assert loaded.returncode == 0, loaded.stderr
    _kubectl("apply", "-f", "-", stdin=_workload())
    _kubectl("rollout", "status", "deployment/web", "--timeout=180s")
    _kubectl("wait", "--for=condition=Complete", "job/client", "--timeout=180s")
    volume = _kubectl("get", "pvc", "data", "--output=jsonpath={.spec.volumeName}")
    answer = _INSTANCE.state / "volumes" / volume / "answer"
    assert int(_kubectl("logs", "job/client")) == answer.stat().st_size > 0
    assert answer.stat().st_gid == _POD_SECURITY["fsGroup"]
    _kubectl("delete", "-f", "-", "--cascade=foreground", "--grace-period=1", stdin=_workload())
    phase = ("get", "pv", volume, "--output=jsonpath={.status.phase}")
    assert wait_until(lambda: _kubectl(*phase) == "Released", seconds=30)
    _up()
    assert wait_until(lambda: _kubectl(*phase) == "Available", seconds=30)
    assert not answer.exists()


def test_a_new_cluster_shares_what_is_unpacked() -> None:
    """Layers of the dependencies are there before an image is loaded, as links; what the runtime notes is its own."""
    assert _command("down").returncode == 0
    assert _command("images").returncode == 0
    _up()
    if cache.root().stat().st_dev != _INSTANCE.state.stat().st_dev:
        pytest.skip("the cache lies on another disk than the clusters, which cannot share files then")
    kept = _INSTANCE.state / "containerd"
    for name in images.dependency_names().values():
        image = oci.find(buildah.layouts(), name)
        assert image is not None
        _, _, *layers = image.blobs()
        for layer in layers:
            loaded = kept / "io.containerd.content.v1.content/blobs" / layer.replace(":", "/")
            assert loaded.samefile(oci.blob_path(buildah.layouts(), layer))
    assert {path.stat().st_nlink for path in kept.rglob("*.db")} == {1}


def test_a_second_up_changes_nothing() -> None:
    """A cluster that works is left alone: same process, same objects."""
    _up()
    process = _process()
    _kubectl("create", "namespace", "kept")
    done = _up()
    assert _process() == process
    assert "is up already" in done.stderr
    assert done.stdout == f"export KUBECONFIG={_INSTANCE.state}/admin.kubeconfig\n"
    _kubectl("delete", "namespace", "kept")


@pytest.mark.parametrize(("victim", "number"), [("kube-apiserver", signal.SIGKILL), ("kube-apiserver", signal.SIGSTOP)])
def test_a_half_dead_cluster_is_replaced(victim: str, number: signal.Signals) -> None:
    """A cluster with a dead or a frozen part is noticed by `status` and replaced by `up`."""
    _up()
    process = _process()
    os.kill(next(pid for pid in descendants(process) if victim in command_line(pid)), number)
    assert wait_until(lambda: _command("status").returncode == 1, seconds=30)
    done = _up()
    assert "replacing the cluster" in done.stderr
    assert _process() != process
    assert _command("status").returncode == 0


def _traces(addresses: str) -> list[str]:
    """Return everything on this machine that belongs to the instance or to its addresses."""
    named = [_INSTANCE.digest, addresses]
    routes = subprocess.run(["ip", "route", "show", "table", "all"], capture_output=True, text=True, check=True).stdout
    processes = [
        f"{folder.name}: {' '.join(command_line(int(folder.name)))} {_text(folder / 'cgroup')}"
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and int(folder.name) != os.getpid()
    ]
    paths = [*Path("/sys/fs/cgroup").glob("*/*"), *Path("/sys/class/net").iterdir(), *Path("/run/netns").glob("*")]
    paths += [*_INSTANCE.state.parent.glob("*"), *Path("/tmp").iterdir()]
    lines = [*routes.splitlines(), *_text(Path("/proc/mounts")).splitlines(), *processes, *map(str, paths)]
    return [line for line in lines if any(name in line for name in named)]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _kernel_settings() -> dict[str, str]:
    return {name: _text(Path("/proc/sys") / name) for name in KERNEL_SETTINGS}


def test_down_leaves_nothing_behind() -> None:
    """No process, mount, namespace, link, route, control group or file is left, and no setting of the host changed."""
    # A test before this one may have left the cluster up: what it mounts must not count as there before.
    assert _command("down").returncode == 0
    settings, mounts = _kernel_settings(), _text(Path("/proc/mounts"))
    _up()
    found = state.load(_INSTANCE.state)
    assert found is not None
    traces = _traces(found.network.partition("/")[0])
    # The test would see what `down` might forget: a route, a link, a namespace, control groups, processes, files.
    signs = ("unreachable", _INSTANCE.link, "/run/netns/", "/sys/fs/cgroup/", "kube-apiserver", "coredns", "/var/lib/")
    for sign in signs:
        assert any(sign in line for line in traces), sign
    assert _command("down").returncode == 0
    assert _traces(found.network.partition("/")[0]) == []
    assert (_kernel_settings(), _text(Path("/proc/mounts"))) == (settings, mounts)
    assert _command("down").returncode == 0
    assert _command("status").returncode == 1


def test_down_cleans_up_when_the_state_is_lost() -> None:
    """Even if its state file is gone, what carries the instance's name is found and ended."""
    _up()
    process = _process()
    (_INSTANCE.state / "state.json").unlink()
    assert _command("down").returncode == 0
    assert command_line(process) == []
    assert not network.namespace_path(_INSTANCE).exists()
    assert not network.reserved(_INSTANCE)


def test_no_packet_to_a_pod_leaves_the_machine() -> None:
    """Pod and service addresses are unreachable from the host at once, not sent to somebody else's network."""
    _up()
    found = state.load(_INSTANCE.state)
    assert found is not None
    for address in (found.addresses.node_pods[7], found.addresses.api_service):
        done = subprocess.run(["ip", "route", "get", str(address)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.strip()) == (2, "RTNETLINK answers: No route to host")


def test_claims_find_a_default_class_and_volumes() -> None:
    """As in kind, a claim that names no class gets a volume."""
    _up()
    classes = json.loads(_kubectl("get", "storageclasses", "--output=json"))["items"]
    assert [each["metadata"]["name"] for each in classes] == [manifests.STORAGE_CLASS]
    assert len(json.loads(_kubectl("get", "pv", "--output=json"))["items"]) == manifests.VOLUMES
