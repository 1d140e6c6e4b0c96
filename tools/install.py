"""manifests/install.yaml: what `kubectl apply -k manifests/base` applies, as one file for people without kustomize."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tools.text import yaml_text

if TYPE_CHECKING:
    from pathlib import Path

BASE = "manifests/base"


def base_documents(root: Path) -> list[dict[str, Any]]:
    """The documents of manifests/base in the order of its kustomization, without the CRDs.

    Raises:
        ValueError: the kustomization uses more than a list of resources, which this rendering would leave out.
    """
    kustomization = yaml.safe_load((root / BASE / "kustomization.yaml").read_text())
    unknown = kustomization.keys() - {"apiVersion", "kind", "resources"}
    if unknown:
        raise ValueError(f"{BASE}/kustomization.yaml: only `resources` can be rendered here, got {sorted(unknown)}")
    names = [name for name in kustomization["resources"] if not name.startswith("..")]
    return [doc for name in names for doc in yaml.safe_load_all((root / BASE / name).read_text())]


def files(root: Path, crds: dict[str, str]) -> dict[str, str]:
    """The text of manifests/install.yaml: namespace, then CRDs, then the rest."""
    documents = base_documents(root)
    definitions = [
        yaml.safe_load(text) for path, text in sorted(crds.items()) if path.startswith("crds/perennate.dev_")
    ]
    first = [doc for doc in documents if doc["kind"] == "Namespace"]
    rest = [doc for doc in documents if doc["kind"] != "Namespace"]
    return {"manifests/install.yaml": yaml_text([*first, *definitions, *rest], f"{BASE} and crds")}
