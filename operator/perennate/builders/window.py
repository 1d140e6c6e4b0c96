"""The DriftWindow of a DriftPolicy: its window of counts, which survives a restart of the operator."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from perennate.api.wellknown import API_VERSION, DRIFT_WINDOW_KIND
from perennate.builders import names
from perennate.builders.labels import common_labels, owner_label
from perennate.builders.manifest import owner_reference

if TYPE_CHECKING:
    from perennate.api.meta import Manifest
    from perennate.api.v1alpha1 import DriftPolicy

FIELD: Final = "data"
"""Field of the state: base64 of gzipped JSON."""


def drift_window(resource: DriftPolicy) -> Manifest:
    """The DriftWindow of a policy, without content."""
    metadata = resource.metadata
    return {
        "apiVersion": API_VERSION,
        "kind": DRIFT_WINDOW_KIND,
        "metadata": {
            "name": names.drift_window(metadata.name, uid=metadata.uid),
            "namespace": metadata.namespace,
            "labels": {**common_labels("window", metadata.name), **owner_label(resource)},
            "ownerReferences": [owner_reference(resource)],
        },
    }


def with_content(window: Manifest, content: bytes) -> Manifest:
    """The DriftWindow with a state."""
    return {**window, FIELD: base64.b64encode(content).decode()}


def content_of(window: Manifest) -> bytes:
    """Read the state from a DriftWindow.

    Raises:
        ValueError: it is missing or not base64.
    """
    encoded = window.get(FIELD)
    if not encoded:
        raise ValueError(f"{FIELD}: is required")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError(f"{FIELD}: {error}") from error
