"""Run buildah with its storage in the cache, and without leaving mounts behind."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host import cache
from tools.cluster.host.commands import run
from tools.cluster.images import oci

if TYPE_CHECKING:
    from collections.abc import Sequence


def storage() -> Path:
    """Return the folder of buildah's images and layers."""
    folder = cache.root() / "containers"
    folder.mkdir(exist_ok=True)
    return folder


def layouts() -> Path:
    """Return the OCI image layout of the finished images, which share one set of blobs."""
    return cache.root() / "oci"


def buildah(words: Sequence[object], *, what: str) -> str:
    """Run buildah and return its standard output.

    It runs in its own mount namespace, because its storage driver never unmounts its folder.

    Raises:
        ClusterError: it failed.
    """
    with tempfile.TemporaryDirectory(prefix="perennate-buildah-") as scratch:
        own: list[object] = ["unshare", "--mount", "--propagation", "private", "nice"]
        place = ["--root", storage(), "--runroot", scratch, "--storage-driver", "overlay"]
        return run([*own, "buildah", *place, *words], what=what, env={"TMPDIR": scratch})


def build(dockerfile: Path, context: Path, options: Sequence[str], *, what: str) -> None:
    """Run one build, without a layer cache, which would grow unnoticed; expensive results are exported.

    With `chroot` isolation it works in a container. With the host's network it reaches the same package index as the
    host.
    """
    common = ["--isolation=chroot", "--network=host", "--layers=false", "--quiet"]
    buildah(["bud", *common, *options, "--file", dockerfile, context], what=what)


def export(image: str, name: str) -> None:
    """Move `image` from buildah's storage into the layout, as `name`."""
    with tempfile.TemporaryDirectory(dir=cache.root(), prefix=".export-") as scratch:
        archive = Path(scratch) / "image.tar"
        buildah(["push", "--quiet", image, f"docker-archive:{archive}:{image}"], what=f"export {image}")
        with archive.open("rb") as content:
            oci.import_archive(content, layouts(), name)
    buildah(["rmi", image], what=f"remove {image}")
