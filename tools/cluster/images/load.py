"""Load built images into a container runtime: only missing images, and only missing layers."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tools.cluster.host.commands import run
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import echo, step
from tools.cluster.images import buildah, oci
from tools.cluster.images.images import reference


def load(socket: Path, stored: dict[str, str]) -> None:
    """Load the images that the container runtime at `socket` does not have.

    Args:
        socket: the runtime's socket.
        stored: image -> cache name.

    Raises:
        ClusterError: an image is not built, or could not be imported.
    """
    ctr = ["ctr", "--address", str(socket), "--namespace", "k8s.io"]
    for name, kept in stored.items():
        image = oci.find(buildah.layouts(), kept)
        if image is None:
            raise ClusterError(f"The image {reference(name)} is not built for this source: run `make images`.")
        listed = run([*ctr, "images", "list", f"name=={reference(name)}"], what="list the cluster's images")
        if image.digest in listed:
            echo(f"{reference(name)} is loaded already")
            continue
        present = set(run([*ctr, "content", "list", "--quiet"], what="list the cluster's layers").split())
        with step(f"loading {reference(name)}"):
            try:
                _import(ctr, image, name=reference(name), present=present)
            except ClusterError:
                # The runtime may have garbage-collected a layer in the meantime: send all layers.
                _import(ctr, image, name=reference(name), present=set())


def _import(ctr: list[str], image: oci.LayoutImage, *, name: str, present: set[str]) -> None:
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [*ctr, "images", "import", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors
        )
        if process.stdin is None:
            raise ClusterError("Cannot write to the standard input of `ctr`.")
        try:
            oci.write_archive(process.stdin, image, name=name, present=present)
            process.stdin.close()
        except BrokenPipeError:
            # The process has exited; its error is read below.
            pass
        if process.wait() != 0:
            errors.seek(0)
            raise ClusterError(f"Cannot load {name}: {errors.read().decode(errors='replace').strip()}")
