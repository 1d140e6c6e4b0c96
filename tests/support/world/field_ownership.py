"""Field ownership of server-side apply, on plain documents.

A field is identified by the tuple of keys of its path. Lists are one field: they are replaced as a whole.
"""

from __future__ import annotations

import copy
from typing import Any

Document = dict[str, Any]
Path = tuple[str, ...]


def fields_of(document: Document) -> frozenset[Path]:
    """The paths of all values that are not mappings, and of empty mappings."""
    return frozenset(_paths(document, ()))


def value_at(document: Document, path: Path) -> Any:
    """The value at a path, or None."""
    found: Any = document
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def merge(found: Document, wanted: Document) -> Document:
    """`found` with the fields of `wanted` set. Neither argument is changed."""
    merged = copy.deepcopy(found)
    for key, value in wanted.items():
        before = merged.get(key)
        merged[key] = (
            merge(before, value) if isinstance(before, dict) and isinstance(value, dict) else copy.deepcopy(value)
        )
    return merged


def remove(document: Document, paths: frozenset[Path]) -> None:
    """Remove fields, and the mappings that become empty."""
    for path in paths:
        _remove(document, path)


def _remove(document: Document, path: Path) -> None:
    key, *rest = path
    if key not in document:
        return
    if rest:
        _remove(document[key], tuple(rest))
    if not rest or document[key] == {}:
        del document[key]


def _paths(document: Document, prefix: Path) -> list[Path]:
    paths: list[Path] = []
    for key, value in document.items():
        path = (*prefix, key)
        paths += _paths(value, path) if isinstance(value, dict) and value else [path]
    return paths
