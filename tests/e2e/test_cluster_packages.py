"""The cluster from packages: it is replaced when broken, isolated, and removed without traces."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.cluster.local_cluster import LocalCluster
from tests.support.cluster.waiting import eventually
from tools.cluster.host import cache
from tools.cluster.host.processes import command_line, descendants
from tools.cluster.images import build, buildah, oci
from tools.cluster.instance import Instance
from tools.cluster.packages import manifests, network, state
from tools.cluster.packages.node import KERNEL_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.packages]

#: A separate cluster, because these tests break it.
_INSTANCE = Instance.of("cluster-test")
_CLUSTER = LocalCluster(_INSTANCE.name, provider="packages")


_CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}
"""


def _process() -> int:
    """Return the id of the process that holds the node's namespaces."""
    found = state.load(_INSTANCE.state)
    assert found is not None
    assert found.process is not None
    return found.process.pid


@pytest.fixture(scope="module", autouse=True)
def _gone_afterwards() -> Iterator[None]:
    yield
    assert _CLUSTER.command("down").returncode == 0


def test_a_new_cluster_shares_unpacked_layers() -> None:
    """Layers of the dependencies are hard links from the cache; the runtime's metadata are not shared."""
    assert _CLUSTER.command("down").returncode == 0
    assert _CLUSTER.command("images").returncode == 0
    _CLUSTER.run("up")
    if cache.root().stat().st_dev != _INSTANCE.state.stat().st_dev:
        pytest.skip("the cache lies on another disk than the clusters, which cannot share files then")
    kept = _INSTANCE.state / "containerd"
    for name in build.dependency_names().values():
        image = oci.find(buildah.layouts(), name)
        assert image is not None
        _, _, *layers = image.blobs()
        for layer in layers:
            loaded = kept / "io.containerd.content.v1.content/blobs" / layer.replace(":", "/")
            assert loaded.samefile(oci.blob_path(buildah.layouts(), layer))
    assert {path.stat().st_nlink for path in kept.rglob("*.db")} == {1}


@pytest.mark.parametrize(("victim", "number"), [("kube-apiserver", signal.SIGKILL), ("kube-apiserver", signal.SIGSTOP)])
def test_a_partly_dead_cluster_is_replaced(victim: str, number: signal.Signals) -> None:
    """`status` detects a dead or frozen component, and `up` replaces the cluster."""
    _CLUSTER.run("up")
    process = _process()
    os.kill(next(pid for pid in descendants(process) if victim in command_line(pid)), number)
    assert eventually(lambda: _CLUSTER.command("status").returncode == 1)
    done = _CLUSTER.run("up")
    assert "replacing the cluster" in done.stderr
    assert _process() != process
    assert _CLUSTER.command("status").returncode == 0


def _traces(addresses: str) -> list[str]:
    """Return everything on this machine that belongs to the instance or has one of its addresses."""
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


def _mounts() -> list[str]:
    """Return the machine's mounts, without those of other clusters, which come and go."""
    other = re.compile(rf"(perennate-|/var/lib/perennate/)(?!{_INSTANCE.digest})[0-9a-f]{{8}}")
    return [line for line in _text(Path("/proc/mounts")).splitlines() if not other.search(line)]


def _kernel_settings() -> dict[str, str]:
    return {name: _text(Path("/proc/sys") / name) for name in KERNEL_SETTINGS}


def test_down_leaves_nothing_behind() -> None:
    """No process, mount, namespace, link, route, control group or file is left, and no kernel setting changed."""
    # An earlier test may have left the cluster running. Its mounts must not be part of the state before.
    assert _CLUSTER.command("down").returncode == 0
    settings, mounts = _kernel_settings(), _mounts()
    _CLUSTER.run("up")
    found = state.load(_INSTANCE.state)
    assert found is not None
    traces = _traces(found.network.partition("/")[0])
    # Control: the test detects a route, a link, a namespace, control groups, processes and files.
    signs = ("unreachable", _INSTANCE.link, "/run/netns/", "/sys/fs/cgroup/", "kube-apiserver", "coredns", "/var/lib/")
    for sign in signs:
        assert any(sign in line for line in traces), sign
    assert _CLUSTER.command("down").returncode == 0
    assert _traces(found.network.partition("/")[0]) == []
    assert (_kernel_settings(), _mounts()) == (settings, mounts)
    assert _CLUSTER.command("down").returncode == 0
    assert _CLUSTER.command("status").returncode == 1


def test_down_cleans_up_when_the_state_is_lost() -> None:
    """Without its state file, everything that has the instance's name is found and removed."""
    _CLUSTER.run("up")
    process = _process()
    (_INSTANCE.state / "state.json").unlink()
    assert _CLUSTER.command("down").returncode == 0
    assert command_line(process) == []
    assert not network.namespace_path(_INSTANCE).exists()
    assert not network.reserved(_INSTANCE)


def test_packets_to_pods_never_leave_the_machine() -> None:
    """Pod and service addresses are unreachable from the host, and not routed to other networks."""
    _CLUSTER.run("up")
    found = state.load(_INSTANCE.state)
    assert found is not None
    for address in (found.addresses.node_pods[7], found.addresses.api_service):
        done = subprocess.run(["ip", "route", "get", str(address)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.strip()) == (2, "RTNETLINK answers: No route to host")


def test_a_released_volume_is_available_again() -> None:
    """Volumes are created in advance (there is no provisioner), and honour fsGroup. `up` empties released ones."""
    _CLUSTER.run("up")
    claim = "persistentVolumeClaim: {claimName: data}"
    pod = "image: localhost/perennate-pause:1, volumeMounts: [{name: data, mountPath: /data}]"
    _CLUSTER.kubectl(
        "apply",
        "-f",
        "-",
        stdin=_CLAIM
        + f"""---
apiVersion: v1
kind: Pod
metadata: {{name: holder}}
spec: {{securityContext: {{fsGroup: 65532}}, containers: [{{name: main, {pod}}}], volumes: [{{name: data, {claim}}}]}}
""",
    )
    _CLUSTER.kubectl("wait", "--for=condition=Ready", "pod/holder", "--timeout=300s")
    volume = _CLUSTER.kubectl("get", "pvc", "data", "--output=jsonpath={.spec.volumeName}")
    left = _INSTANCE.state / "volumes" / volume / "left"
    assert left.parent.stat().st_gid == 65532
    left.touch()
    _CLUSTER.kubectl("delete", "pod/holder", "pvc/data", "--grace-period=1")
    phase = ("get", "pv", volume, "--output=jsonpath={.status.phase}")
    assert eventually(lambda: _CLUSTER.kubectl(*phase) == "Released")
    _CLUSTER.run("up")
    assert eventually(lambda: _CLUSTER.kubectl(*phase) == "Available")
    assert not left.exists()


def test_there_are_volumes_for_every_claim_of_the_tests() -> None:
    _CLUSTER.run("up")
    assert len(_CLUSTER.objects("pv")) == manifests.VOLUMES
