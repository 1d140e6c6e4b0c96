"""Reads fields of manifests that may be invalid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from perennate.api.meta import Manifest


def value_at(manifest: Manifest, *path: str) -> Any:
    """The value at a path, None where there is none."""
    value: Any = manifest
    for part in path:
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value
