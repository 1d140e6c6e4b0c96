"""The ConfigMap with the window of counts of a DriftPolicy. The window survives a restart of the operator."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from perennate.builders import names
from perennate.builders.labels import common_labels, owner_label
from perennate.builders.manifest import owner_reference

if TYPE_CHECKING:
    from perennate.api.meta import Manifest
    from perennate.api.v1alpha1 import DriftPolicy

KEY: Final = "window.json.gz"
"""Key of the state in `binaryData`: gzipped JSON."""


def window_config_map(resource: DriftPolicy) -> Manifest:
    """The ConfigMap of the window, without content."""
    metadata = resource.metadata
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": names.window_config_map(metadata.name, uid=metadata.uid),
            "namespace": metadata.namespace,
            "labels": {**common_labels("window", metadata.name), **owner_label(resource)},
            "ownerReferences": [owner_reference(resource)],
        },
    }


def with_content(config_map: Manifest, content: bytes) -> Manifest:
    """The ConfigMap with a state."""
    return {**config_map, "binaryData": {KEY: base64.b64encode(content).decode()}}


def content_of(config_map: Manifest) -> bytes:
    """Read the state from a ConfigMap.

    Raises:
        ValueError: it is missing or not base64.
    """
    encoded = (config_map.get("binaryData") or {}).get(KEY)
    if not encoded:
        raise ValueError(f"binaryData.{KEY}: is required")
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError(f"binaryData.{KEY}: {error}") from error
