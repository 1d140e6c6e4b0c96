"""Load images from the Docker engine into the node: only changed images, and only missing layers.

`kind load` is not used: it fails, or loads repeatedly, with the containerd image store (kind issues 3795, 4236).
"""

from __future__ import annotations

import subprocess
import tempfile
from typing import IO, TYPE_CHECKING

from tools.cluster.host import cache
from tools.cluster.host.commands import run, succeeds, tail
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import echo, step
from tools.cluster.images import images
from tools.cluster.kind import archive

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

#: Label of an image on the node: the id of the engine's image that it was loaded from.
_ORIGIN = "perennate.dev/loaded-from"


def load(names: Sequence[str], node: str) -> None:
    """Load the images `names` into the container `node`.

    Raises:
        ClusterError: an image is not built, or could not be imported.
    """
    images.require_known(names)
    built = {images.reference(name): _built(images.reference(name)) for name in names}
    loaded = run([*_ctr(node), "images", "list"], what="list the node's images")
    missing = {reference: origin for reference, origin in built.items() if not is_loaded(loaded, reference, origin)}
    for reference in built:
        if reference not in missing:
            echo(f"{reference} is loaded already")
    if missing:
        _copy(list(missing), node)
        for reference, origin in missing.items():
            label = [*_ctr(node), "images", "label", reference, f"{_ORIGIN}={_label(origin)}"]
            run(label, what=f"label the loaded image {reference}")


def is_loaded(listing: str, reference: str, origin: str) -> bool:
    """Return whether `listing`, from `ctr images list`, has `reference` loaded from the engine's image `origin`."""
    lines = [line.split() for line in listing.splitlines()]
    return any(words[:1] == [reference] and f"{_ORIGIN}={_label(origin)}" in words[-1].split(",") for words in lines)


def _label(origin: str) -> str:
    return origin.removeprefix("sha256:")


def _built(reference: str) -> str:
    shown = ["docker", "image", "inspect", "--format", "{{.Id}}", reference]
    if not succeeds(shown):
        raise ClusterError(f"The image {reference} is not built: run `make images`.")
    return run(shown, what=f"find the image {reference}").strip()


def _ctr(node: str) -> list[str]:
    return ["docker", "exec", node, "ctr", "--namespace=k8s.io"]


def _copy(references: Sequence[str], node: str) -> None:
    """Copy the images in one archive, because they share most of their layers."""
    present = set(run([*_ctr(node), "content", "list", "--quiet"], what="list the node's layers").split())
    with tempfile.TemporaryFile(dir=cache.root()) as saved:
        with step(f"reading {', '.join(references)} from Docker"):
            _save(references, saved)
        with step("loading missing layers into the node (about 30 s for a new cluster)"):
            try:
                _import(saved, node, present)
            except ClusterError:
                # The node may have garbage-collected a layer in the meantime: send all layers.
                _import(saved, node, ())


def _save(references: Sequence[str], target: IO[bytes]) -> None:
    done = subprocess.run(["docker", "save", *references], stdout=target, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise ClusterError(f"Cannot read {', '.join(references)} from Docker: {tail(done.stderr.decode())}")


def _import(saved: IO[bytes], node: str, present: Collection[str]) -> None:
    saved.seek(0)
    command = ["docker", "exec", "--interactive", node, "ctr", "--namespace=k8s.io", "images", "import", "-"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said)
        try:
            if process.stdin is not None:
                archive.write_missing(saved, process.stdin, present=present)
                process.stdin.close()
        except BrokenPipeError:
            # The process has exited; its error is read below.
            pass
        if process.wait() != 0:
            said.seek(0)
            raise ClusterError(f"Cannot load images into {node}: {tail(said.read().decode(errors='replace'))}")
