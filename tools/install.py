"""manifests/install.yaml: what `kubectl apply -k manifests/base` applies, as one file for people without kustomize."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tools.text import HEADER

if TYPE_CHECKING:
    from pathlib import Path

BASE = "manifests/base"


def base_texts(root: Path, generated: dict[str, str]) -> list[str]:
    """The files of manifests/base in the order of its kustomization; generated ones as they are to be.

    Raises:
        ValueError: the kustomization uses more than a list of resources, which this rendering would leave out.
    """
    kustomization = yaml.safe_load((root / BASE / "kustomization.yaml").read_text())
    unknown = kustomization.keys() - {"apiVersion", "kind", "resources"}
    if unknown:
        raise ValueError(f"{BASE}/kustomization.yaml: only `resources` can be rendered here, got {sorted(unknown)}")
    paths = [f"{BASE}/{name}" for name in kustomization["resources"]]
    return [generated[path] if path in generated else (root / path).read_text() for path in paths]


def files(root: Path, generated: dict[str, str]) -> dict[str, str]:
    """The text of manifests/install.yaml: the files of the base one after the other, comments included."""
    texts = "\n---\n".join(_content(text) for text in base_texts(root, generated))
    return {"manifests/install.yaml": f"{HEADER.format(source=BASE)}{texts}\n"}


def _content(text: str) -> str:
    """A file without the header that says that it is generated."""
    mark = HEADER.partition("{")[0]
    lines = [line for line in text.splitlines() if not line.startswith(mark)]
    return "\n".join(lines).removeprefix("---").strip()
