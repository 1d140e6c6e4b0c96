"""The project's images: their names, and what their Dockerfiles are made of."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from tools.cluster.host.errors import ClusterError
from tools.cluster.instance import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

IMAGES = ("operator", "trainer", "serving")


def reference(name: str) -> str:
    """Return the reference of image `name`: the full form of `perennate/<name>:<version>` in the manifests.

    The tag is not `latest`, so an image that is loaded is never pulled.
    """
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    return f"docker.io/perennate/{name}:{version}"


def check(names: Sequence[str]) -> None:
    """Refuse names that no image has.

    Raises:
        ClusterError: there is no such image.
    """
    unknown = set(names) - set(IMAGES)
    if unknown:
        raise ClusterError(f"There is no image {', '.join(sorted(unknown))}; there are {', '.join(IMAGES)}.")


def stages(dockerfile: str) -> dict[str, str]:
    """Return the text of each named stage of a Dockerfile, comments left out; what comes before the first is "" ."""
    found: dict[str, list[str]] = {"": []}
    current = ""
    for line in dockerfile.splitlines():
        words = line.split()
        if words[:1] == ["FROM"]:
            current = words[3] if len(words) > 3 else "final"
        if not line.startswith("#"):
            found.setdefault(current, []).append(line)
    return {name: "\n".join(lines).strip() for name, lines in found.items()}


def dockerfile(name: str) -> Path:
    """Return the file that image `name` is built from."""
    return CHECKOUT / "images" / f"{name}.Dockerfile"
