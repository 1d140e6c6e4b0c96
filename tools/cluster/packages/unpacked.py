"""A cache of unpacked image dependencies, in the layout of the container runtime, hard-linked into each new cluster.

Unpacking takes most of a minute, linking a second. Unpacked layers are read-only (a container writes to its own layer),
so clusters can share the files. Only the databases of the runtime are copied.
"""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tools.cluster.host import cache, debian
from tools.cluster.host.commands import run, succeeds, tail
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.processes import wait_until
from tools.cluster.host.progress import step
from tools.cluster.images import build, buildah, load, oci
from tools.cluster.packages import node
from tools.cluster.packages.node import NodeLayout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ENTRY = "unpacked"
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0


def ensure() -> None:
    """Unpack the dependencies of all images, which must be built, if they are not cached; remove outdated ones.

    Raises:
        ClusterError: the runtime did not start, or could not import an image.
    """
    debian.install_missing(debian.NODE_PACKAGES)
    kept = cache.entry(_ENTRY, _key(), _unpack)
    for folder in kept.parent.glob(f"{_ENTRY}-*"):
        if folder != kept:
            shutil.rmtree(folder, ignore_errors=True)


def link(layout: NodeLayout) -> None:
    """Link the cache into a new node if it exists on the same disk.

    Otherwise images are unpacked when they are loaded.
    """
    unpacked, target = cache.root() / f"{_ENTRY}-{_key()}", layout.containerd_root
    if not unpacked.exists() or unpacked.stat().st_dev != layout.root.stat().st_dev:
        return
    run(["cp", "--archive", "--link", unpacked, target], what="link the unpacked images")
    for database in target.rglob("*.db"):
        copy = database.with_suffix(".copy")
        shutil.copy2(database, copy)
        copy.replace(database)


def _key() -> str:
    return cache.key(*build.dependency_names().values())


def _unpack(target: Path) -> None:
    layout = NodeLayout(target.parent / "node")
    layout.etc.mkdir(parents=True)
    (layout.etc / "containerd.toml").write_text(node.containerd(layout))
    with step("unpacking the dependencies of the images"), _runtime(layout):
        load.load(layout.containerd_socket, build.dependency_names())
    for blob in layout.containerd_root.glob("io.containerd.content.*/blobs/sha256/*"):
        # The runtime also keeps the compressed blobs, which the cache already has.
        same = oci.blob_path(buildah.layouts(), f"sha256:{blob.name}")
        if same.exists():
            blob.unlink()
            blob.hardlink_to(same)
    layout.containerd_root.rename(target)


@contextmanager
def _runtime(layout: NodeLayout) -> Iterator[None]:
    """A container runtime without containers, in its own mount namespace."""
    # setpriv: if this process is killed, the kernel kills the runtime too.
    own = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private"]
    log = layout.root / "containerd.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*own, "containerd", f"--config={layout.etc}/containerd.toml"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        answers = ["ctr", "--address", layout.containerd_socket, "version"]
        wait_until(lambda: process.poll() is not None or succeeds(answers), seconds=_START_SECONDS, pause=0.1)
        if not succeeds(answers):
            raise ClusterError(f"Cannot unpack the images: containerd did not answer: {tail(log.read_text())}")
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
