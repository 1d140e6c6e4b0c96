"""Which kind and which node image make a cluster: always Kubernetes 1.35, which the tests run on.

kind guarantees a node image only for the release that it was published with, so the image depends on the kind.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host.commands import follow, run, succeeds
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import say, step
from tools.cluster.kind.engine import version
from tools.cluster.programs import compiled

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Names a node image in place of the table's.
VARIABLE = "KIND_NODE_IMAGE"
#: kind's version -> the image of Kubernetes 1.35 that its release notes list.
TABLE = {
    (0, 33): "kindest/node:v1.35.8@sha256:07b2536e30b803ed61d1677a79df6115f798ce64c80f9e22f6ed45afd09323c0",
    (0, 32): "kindest/node:v1.35.5@sha256:ce977ae6d65918d0b58a5f8b5e940429c2ce42fa3a5619ec2bbc60b949c0ac95",
    (0, 31): "kindest/node:v1.35.0@sha256:452d707d4862f52530247495d180205e029056831160e22870e37e3f6c1ac31f",
}
#: The kind that tools/cluster/programs/kind pins.
PINNED = (0, 33)


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind to take, and the image to give it.

    Attributes:
        on_path: take the kind on PATH; otherwise the pinned one.
        image: the node image.
    """

    on_path: bool
    image: str


def choose(found: tuple[int, int] | None, environ: Mapping[str, str]) -> Choice:
    """Choose for the kind of version `found` on PATH (None: there is none) and the variables `environ`."""
    named = environ.get(VARIABLE)
    if named:
        return Choice(on_path=found is not None, image=named)
    if found in TABLE:
        return Choice(on_path=True, image=TABLE[found])
    return Choice(on_path=False, image=TABLE[PINNED])


def chosen() -> Choice:
    """Choose for the kind on PATH and this process's environment."""
    present = shutil.which("kind")
    return choose(version(run([present, "version"], what="ask kind for its version")) if present else None, os.environ)


def program() -> Path:
    """Return the kind to use: the one on PATH if a node image is known for it, else the pinned one, compiled."""
    present = shutil.which("kind")
    if present and chosen().on_path:
        return Path(present)
    return compiled.kind()


def pull(image: str) -> None:
    """Make sure that the Docker engine has the node image.

    Raises:
        ClusterError: it cannot be pulled; the message says how to bring it by hand.
    """
    if succeeds(["docker", "image", "inspect", image]):
        return
    try:
        with step(f"pulling {image.partition('@')[0]} (some 500 MB)"):
            follow(["docker", "pull", image], what="pull the node image", tell=_tell)
    except ClusterError as error:
        tag = image.partition("@")[0]
        raise ClusterError(
            f"The node image {image} is not here and cannot be pulled ({error}) "
            f"Where it can: `docker pull {image} && docker tag {image} {tag} && docker save --output node.tar {tag}`; "
            f"here: `docker load --input node.tar`, then set {VARIABLE}={tag}."
        ) from error


def _tell(line: str) -> None:
    """Pass on which layers are there; without a terminal Docker prints a line for each change of a layer."""
    if line.endswith(("Download complete", "Pull complete")):
        say(f"  {line}")


def announce() -> None:
    """Say which kind on PATH is passed over, and why."""
    present = shutil.which("kind")
    if present and not chosen().on_path:
        known = ", ".join(f"{major}.{minor}" for major, minor in sorted(TABLE))
        say(f"passing over {present}: node images are known for kind {known} (or set {VARIABLE})")
