"""Our images: names, references and Dockerfile stages."""

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
    """Return the reference of image `name`, as in the manifests and with the chart value `image.registry=localhost`.

    The tag is not `latest`, so Kubernetes does not pull an image that is loaded. No registry has these names.
    """
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    return f"localhost/perennate-{name}:{version}"


def require_known(names: Sequence[str]) -> None:
    """Check that all `names` are names of images.

    Raises:
        ClusterError: one is not.
    """
    unknown = set(names) - set(IMAGES)
    if unknown:
        raise ClusterError(f"Unknown image {', '.join(sorted(unknown))}: choose from {', '.join(IMAGES)}.")


def stages(dockerfile: str) -> dict[str, str]:
    """Return the text of each stage of a Dockerfile by name, without comments.

    The part before the first stage has the name "".
    """
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
