"""manifests/install.yaml: what `kubectl apply -k manifests/base` applies, as one file for people without kustomize."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tools.text import yaml_text

if TYPE_CHECKING:
    from pathlib import Path

BASE = "manifests/base"


def base_documents(root: Path, generated: dict[str, str]) -> list[dict[str, Any]]:
    """The documents of manifests/base in the order of its kustomization; generated files as they are to be.

    Raises:
        ValueError: the kustomization uses more than a list of resources, which this rendering would leave out.
    """
    kustomization = yaml.safe_load((root / BASE / "kustomization.yaml").read_text())
    unknown = kustomization.keys() - {"apiVersion", "kind", "resources"}
    if unknown:
        raise ValueError(f"{BASE}/kustomization.yaml: only `resources` can be rendered here, got {sorted(unknown)}")
    paths = [f"{BASE}/{name}" for name in kustomization["resources"]]
    texts = [generated[path] if path in generated else (root / path).read_text() for path in paths]
    return [document for text in texts for document in yaml.safe_load_all(text)]


def files(root: Path, generated: dict[str, str]) -> dict[str, str]:
    """The text of manifests/install.yaml."""
    return {"manifests/install.yaml": yaml_text(base_documents(root, generated), BASE)}
