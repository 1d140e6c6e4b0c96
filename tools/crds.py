"""The CRD files, and the chart's copy of them."""

from __future__ import annotations

from perennate.api import wellknown
from perennate.api.schema import custom_resource_definition
from perennate.api.v1alpha1 import KINDS
from tools.text import yaml_text

SOURCE = "operator/perennate/api"


def files() -> dict[str, str]:
    """Text of every file below `crds/` and `charts/perennate/crds/`, by path."""
    crds = {
        f"{wellknown.GROUP}_{kind.declaration.plural}.yaml": yaml_text([custom_resource_definition(kind)], SOURCE)
        for kind in KINDS
    }
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(crds),
    }
    copies = {f"{folder}/{name}": text for folder in ("crds", "charts/perennate/crds") for name, text in crds.items()}
    return copies | {"crds/kustomization.yaml": yaml_text([kustomization], SOURCE)}
