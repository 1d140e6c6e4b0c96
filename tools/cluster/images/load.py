"""Loading built images into a container runtime, as far as it lacks them."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tools.cluster.host.commands import run
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import say, step
from tools.cluster.images import buildah, oci
from tools.cluster.images.images import reference


def load(socket: Path, stored: dict[str, str]) -> None:
    """Load all images that the container runtime behind `socket` lacks, and of these only the layers that it lacks.

    Args:
        socket: the runtime's socket.
        stored: image -> name under which the cache holds it.

    Raises:
        ClusterError: an image is not built, or the runtime refused it.
    """
    ctr = ["ctr", "--address", str(socket), "--namespace", "k8s.io"]
    for name, kept in stored.items():
        image = oci.find(buildah.layouts(), kept)
        if image is None:
            raise ClusterError(f"The image {reference(name)} is not built for this source: run `make images`.")
        listed = run([*ctr, "images", "list", f"name=={reference(name)}"], what="list the cluster's images")
        if image.digest in listed:
            say(f"{reference(name)} is loaded already")
            continue
        present = set(run([*ctr, "content", "list", "--quiet"], what="list the cluster's layers").split())
        with step(f"loading {reference(name)}"):
            try:
                _import(ctr, image, name=reference(name), present=present)
            except ClusterError:
                # The runtime may have collected a layer between our look and the import: send everything.
                _import(ctr, image, name=reference(name), present=set())


def _import(ctr: list[str], image: oci.LayoutImage, *, name: str, present: set[str]) -> None:
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [*ctr, "images", "import", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors
        )
        if process.stdin is None:
            raise ClusterError("The program 'ctr' has no standard input.")
        try:
            oci.write_archive(process.stdin, image, name=name, present=present)
            process.stdin.close()
        except BrokenPipeError:
            # It said why on its way out.
            pass
        if process.wait() != 0:
            errors.seek(0)
            raise ClusterError(f"Cannot load {name}: {errors.read().decode(errors='replace').strip()}")
