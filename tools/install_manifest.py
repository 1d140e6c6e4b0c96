"""manifests/install.yaml: the objects of manifests/base in one file, for use without kustomize."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tools.text import HEADER

if TYPE_CHECKING:
    from pathlib import Path

BASE = "manifests/base"


def base_texts(root: Path, generated: dict[str, str]) -> list[str]:
    """Return the texts of manifests/base in the order of its kustomization, with the current generated files.

    Raises:
        ValueError: the kustomization uses a field other than `resources`, which is not supported.
    """
    kustomization = yaml.safe_load((root / BASE / "kustomization.yaml").read_text())
    unknown = kustomization.keys() - {"apiVersion", "kind", "resources"}
    if unknown:
        raise ValueError(
            f"{BASE}/kustomization.yaml: only `resources` is supported, got {sorted(unknown)}: use an overlay"
        )
    paths = [f"{BASE}/{name}" for name in kustomization["resources"]]
    return [generated[path] if path in generated else (root / path).read_text() for path in paths]


def files(root: Path, generated: dict[str, str]) -> dict[str, str]:
    """Return the text of manifests/install.yaml: the concatenated files of the base, with their comments."""
    texts = "\n---\n".join(_content(text) for text in base_texts(root, generated))
    return {"manifests/install.yaml": f"{HEADER.format(source=BASE)}{texts}\n"}


def _content(text: str) -> str:
    """Return the text without the header of generated files."""
    mark = HEADER.partition("{")[0]
    lines = [line for line in text.splitlines() if not line.startswith(mark)]
    return "\n".join(lines).removeprefix("---").strip()
