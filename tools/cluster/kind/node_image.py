"""Choice of kind and of the node image: always Kubernetes 1.35, which is the tested version.

A node image is only guaranteed to work with the kind release that published it, so the image depends on kind's version.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host.commands import run, run_streaming, succeeds
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import echo, step
from tools.cluster.kind.engine import version
from tools.cluster.programs import compiled

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Overrides the node image of the table.
VARIABLE = "KIND_NODE_IMAGE"
#: Version of kind -> the Kubernetes 1.35 image in its release notes.
TABLE = {
    (0, 33): "kindest/node:v1.35.8@sha256:07b2536e30b803ed61d1677a79df6115f798ce64c80f9e22f6ed45afd09323c0",
    (0, 32): "kindest/node:v1.35.5@sha256:ce977ae6d65918d0b58a5f8b5e940429c2ce42fa3a5619ec2bbc60b949c0ac95",
    (0, 31): "kindest/node:v1.35.0@sha256:452d707d4862f52530247495d180205e029056831160e22870e37e3f6c1ac31f",
}
#: The kind that tools/cluster/programs/kind pins.
PINNED = (0, 33)


@dataclass(frozen=True, slots=True)
class KindChoice:
    """Which kind to use, and with which node image.

    Attributes:
        on_path: use the kind on PATH; otherwise the pinned one.
        image: the node image.
    """

    on_path: bool
    image: str


def choose(found: tuple[int, int] | None, environ: Mapping[str, str]) -> KindChoice:
    """Choose by the version `found` of the kind on PATH (None: there is none) and the environment `environ`."""
    named = environ.get(VARIABLE)
    if named:
        return KindChoice(on_path=found is not None, image=named)
    if found in TABLE:
        return KindChoice(on_path=True, image=TABLE[found])
    return KindChoice(on_path=False, image=TABLE[PINNED])


def chosen() -> KindChoice:
    """Choose by the kind on PATH and the environment of this process."""
    present = shutil.which("kind")
    return choose(version(run([present, "version"], what="ask kind for its version")) if present else None, os.environ)


def program() -> Path:
    """Return the path of kind: the one on PATH if the table has its version, else the pinned one, which is compiled."""
    present = shutil.which("kind")
    if present and chosen().on_path:
        return Path(present)
    return compiled.kind()


def pull(image: str) -> None:
    """Make sure that the Docker engine has the node image.

    Raises:
        ClusterError: it cannot be pulled; the message says how to transfer it manually.
    """
    if succeeds(["docker", "image", "inspect", image]):
        return
    try:
        with step(f"pulling {image.partition('@')[0]} (about 500 MB)"):
            run_streaming(["docker", "pull", image], what="pull the node image", on_line=_echo_line)
    except ClusterError as error:
        tag = image.partition("@")[0]
        raise ClusterError(
            f"The node image {image} cannot be pulled ({error}) "
            f"On a machine that can: `docker pull {image} && docker tag {image} {tag} && "
            f"docker save --output node.tar {tag}`; "
            f"on this machine: `docker load --input node.tar`, then set {VARIABLE}={tag}."
        ) from error


def _echo_line(line: str) -> None:
    """Print completed layers only; without a terminal, Docker prints every state of every layer."""
    if line.endswith(("Download complete", "Pull complete")):
        echo(f"  {line}")


def report_skipped_kind() -> None:
    """Print a message if the kind on PATH is ignored."""
    present = shutil.which("kind")
    if present and not chosen().on_path:
        known = ", ".join(f"{major}.{minor}" for major, minor in sorted(TABLE))
        echo(f"ignoring {present}: only kind {known} have a known node image (to use it, set {VARIABLE})")
