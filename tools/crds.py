"""The CRD files, and their copies for the chart and kustomize."""

from __future__ import annotations

from functools import cache
from typing import Any

from perennate.api.schema import custom_resource_definition
from perennate.api.v1alpha1 import KINDS, drift_window
from tools.text import yaml_text

SOURCE = "operator/perennate/api"


def definitions() -> list[dict[str, Any]]:
    """Return the CRDs of all kinds, and of the kind that only the operator uses."""
    return [*(custom_resource_definition(kind) for kind in KINDS), drift_window.definition()]


@cache
def files() -> dict[str, str]:
    """Return the text of every CRD file by path: one per kind, and one with all kinds for kustomize."""
    each = {f"{definition['metadata']['name']}": yaml_text([definition], SOURCE) for definition in definitions()}
    names = {name: "_".join(reversed(name.split(".", 1))) for name in each}
    copies = {
        f"{folder}/{names[name]}.yaml": text
        for folder in ("crds", "charts/perennate/crds")
        for name, text in each.items()
    }
    return copies | {"manifests/base/crds.yaml": yaml_text(definitions(), SOURCE)}
