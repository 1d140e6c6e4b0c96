"""The child of a DriftPolicy that keeps its window of counts, so that the next operator goes on where this one ends."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from perennate.builders import names
from perennate.builders.labels import common_labels, owner_label
from perennate.builders.manifest import owner_reference

if TYPE_CHECKING:
    from perennate.api.v1alpha1 import DriftPolicy
    from perennate.builders.manifest import Manifest

KEY: Final = "window.json.gz"
"""Where the state lies in the ConfigMap: JSON in gzip, for whoever wants to look at it."""


def window_config_map(resource: DriftPolicy) -> Manifest:
    """The ConfigMap of the policy's window, without content yet."""
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
    """The ConfigMap with this state in it."""
    return {**config_map, "binaryData": {KEY: base64.b64encode(content).decode()}}


def content_of(config_map: Manifest) -> bytes:
    """The state in a ConfigMap.

    Raises:
        ValueError: there is none, or it is not in base64.
    """
    encoded = (config_map.get("binaryData") or {}).get(KEY)
    if not encoded:
        raise ValueError(f"binaryData.{KEY}: is required")
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError(f"binaryData.{KEY}: {error}") from error
