"""DriftWindow: the stored window of counts of a DriftPolicy. Only the operator reads and writes it.

It is a kind of its own, so that the operator needs no right on ConfigMaps, which hold settings of others.
"""

from __future__ import annotations

from typing import Any, Final

from perennate.api import wellknown

DATA_LIMIT: Final = 256 * 1024
"""Maximum length of the encoded state: a state of at most 188 KiB, in base64."""


def definition() -> dict[str, Any]:
    """The CustomResourceDefinition. The content has a schema of its own, in the document (`drift/windows/state.py`)."""
    kind, plural = wellknown.DRIFT_WINDOW_KIND, wellknown.DRIFT_WINDOW_PLURAL
    described = {
        "apiVersion": "Group and version of the schema that this object follows.",
        "kind": "Kind of this object.",
        "data": "State of the window: base64 of gzipped JSON.",
    }
    properties: dict[str, Any] = {name: {"type": "string", "description": text} for name, text in described.items()}
    properties["data"] |= {"format": "byte", "maxLength": DATA_LIMIT}
    schema = {
        "description": "Stored window of counts of a DriftPolicy, which owns it. Written by the operator only.",
        "type": "object",
        "properties": {**properties, "metadata": {"type": "object"}},
    }
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    version = {"name": wellknown.VERSION, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    labels = {wellknown.LABEL_NAME: wellknown.PART_OF, wellknown.LABEL_PART_OF: wellknown.PART_OF}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{wellknown.GROUP}", "labels": labels},
        "spec": {"group": wellknown.GROUP, "names": names, "scope": "Namespaced", "versions": [version]},
    }
