"""The node image: built by the engine, then filled with the images of a cluster."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kind.engine import runtime
from tests.kind.node import context, kind_module, programs
from tools.cluster.host import cache
from tools.cluster.host.commands import run, succeeds
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.processes import wait_until
from tools.cluster.host.progress import echo, step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kind.engine.client import Client

REPOSITORY = "perennate-test/node"
_PARTS = "perennate-test/part"
#: Node images that are kept, for switching between branches and versions.
_KEPT = 3
_CTR = ("ctr", "--namespace=k8s.io")
_START_SECONDS = 30


def ensure(client: Client, kubernetes: str = programs.KUBERNETES) -> str:
    """Return the name of the node image, and build it if it is missing. The name contains a hash of its inputs."""
    compiled = programs.compile_all(kubernetes)
    kind = kind_module.fetch()
    restricted = not runtime.may_set_resources()
    key = cache.key(
        Path(__file__).parent,
        *(path.name for path in compiled.all()),
        context.root().name,
        kind.version,
        str(restricted),
    )
    name = f"{REPOSITORY}:{key}"
    if client.has_image(name):
        echo(f"the node image {name} is up to date")
        return name
    with step(f"making the node image {name} (about a minute)"):
        with tempfile.TemporaryDirectory(prefix=".node-", dir=cache.root()) as scratch:
            context.assemble(Path(scratch), compiled, kind, restrict_oom_score=restricted)
            shutil.copyfile(context.DOCKERFILE, Path(scratch) / "Dockerfile")
            parts = _build_parts(client, Path(scratch), key)
        _fill(client, parts, _wanted(compiled, kind), name)
    _drop(client, [*client.images(f"{_PARTS}-*"), *client.images(REPOSITORY)[_KEPT:]])
    return name


def _build_parts(client: Client, folder: Path, key: str) -> dict[str, str]:
    """Build each target of the Dockerfile and return target -> image."""
    targets = (
        "control-plane",
        "kube-proxy",
        "pause",
        "coredns",
        "local-path-provisioner",
        "local-path-helper",
        "node",
    )
    found = {}
    for target in targets:
        found[target] = f"{_PARTS}-{target}:{key}"
        with step(f"building {target}"):
            client.run("build", "--quiet", "--target", target, "--tag", found[target], folder, what=f"build {target}")
    return found


def _wanted(compiled: programs.Programs, kind: kind_module.KindModule) -> dict[str, str]:
    """Return the required images of a cluster: name -> target of the Dockerfile."""
    command = [compiled.kube, "kubeadm", "config", "images", "list", f"--kubernetes-version=v{compiled.kubernetes}"]
    names = run(command, what="list the images of Kubernetes").split()
    storage = kind.storage()
    found = {storage.provisioner: "local-path-provisioner", storage.helper: "local-path-helper"}
    for name in [*names, kind.pause_image()]:
        found[name] = target_of(name)
    return found


def target_of(name: str) -> str:
    """Return the target of the Dockerfile that builds the Kubernetes image `name`.

    Raises:
        ClusterError: there is none.
    """
    component = name.rpartition("/")[2].partition(":")[0]
    if component in {"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"}:
        return "control-plane"
    if component in {"kube-proxy", "coredns", "pause"}:
        return component
    raise ClusterError(f"kubeadm asks for the image {name}, which {context.DOCKERFILE} has no target for.")


def _fill(client: Client, parts: dict[str, str], wanted: dict[str, str], name: str) -> None:
    """Import the images into the node's containerd and keep the result as the image `name`."""
    with _started(client, parts["node"]) as container:
        execute = client.command("exec", "--interactive", container)
        with step("importing the cluster's images into the node"):
            _import(client, execute, sorted({parts[target] for target in wanted.values()}))
        for target in set(wanted.values()):
            names = sorted(each for each, made_by in wanted.items() if made_by == target)
            source = f"docker.io/{parts[target]}"
            run([*execute, *_CTR, "images", "tag", source, *names], what=f"name the image {target}")
            run([*execute, *_CTR, "images", "remove", source], what=f"name the image {target}")
        _require(run([*execute, *_CTR, "images", "list", "--quiet"], what="list the node's images").split(), wanted)
        run([*execute, "pkill", "--exact", "containerd"], what="stop the node's containerd")
        gone = [*execute, "sh", "-c", "! pgrep --exact containerd"]
        wait_until(lambda: succeeds(gone), seconds=_START_SECONDS)
        entrypoint = 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]'
        with step("saving the node image"):
            client.run(
                "commit", "--change", entrypoint, "--change", "CMD []", container, name, what="save the node image"
            )


@contextmanager
def _started(client: Client, image: str) -> Iterator[str]:
    """Run a container with only containerd."""
    command = ("run", "--detach", "--network=none", "--entrypoint=sleep", image, "infinity")
    container = client.run(*command, what="start the node image").strip()
    try:
        client.run("exec", "--detach", container, "containerd", what="start the node's containerd")
        answers = client.command("exec", container, *_CTR, "version")
        if not wait_until(lambda: succeeds(answers), seconds=_START_SECONDS):
            raise ClusterError("containerd of the node image does not answer.")
        yield container
    finally:
        client.run("rm", "--force", "--volumes", container, what="remove the container of the node image")


def _import(client: Client, execute: list[str], images: list[str]) -> None:
    """Send images from the engine to the containerd in a container.

    Raises:
        ClusterError: either side failed.
    """
    receive = [*execute, *_CTR, "images", "import", "--all-platforms", "--no-unpack", "--digests", "-"]
    with subprocess.Popen(client.command("save", *images), stdout=subprocess.PIPE) as sender:
        received = subprocess.run(receive, stdin=sender.stdout, capture_output=True, text=True, check=False)
    if sender.returncode or received.returncode:
        raise ClusterError(f"Cannot import images into the node: {received.stderr.strip()}")


def _require(present: list[str], wanted: dict[str, str]) -> None:
    missing = sorted(set(wanted) - set(present))
    if missing:
        raise ClusterError(f"The node image lacks {', '.join(missing)}.")


def _drop(client: Client, images: list[str]) -> None:
    """Remove images; the build cache keeps their layers."""
    for image in images:
        client.run("rmi", "--force", image, what="remove an image that is not needed any more")
