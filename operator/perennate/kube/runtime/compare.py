"""Compares a child in the cluster with the manifest that we apply."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from perennate.api.meta import Manifest
from perennate.builders.manifest import applied_hash, controller_uid

_QUANTITIES: Final = frozenset({"requests", "limits", "sizeLimit"})
"""Fields whose values the API server rewrites: 1000m becomes 1."""
_BINARY: Final = {f"{prefix}i": Decimal(1024) ** power for power, prefix in enumerate("KMGTPE", start=1)}
_DECIMAL: Final = {prefix: Decimal(1000) ** power for power, prefix in enumerate("kMGTPE", start=1)}
_SUFFIXES: Final = {**_BINARY, "m": Decimal("0.001"), "u": Decimal("1e-6"), "n": Decimal("1e-9"), **_DECIMAL}


def is_current(live: Manifest, wanted: Manifest) -> bool:
    """Whether nothing must be applied: same hash, same owner, and every field that we set has our value."""
    return (
        applied_hash(live) == applied_hash(wanted)
        and controller_uid(live) == controller_uid(wanted)
        and contains(live["metadata"].get("labels", {}), wanted["metadata"].get("labels", {}))
        and contains(live.get("spec", {}), wanted.get("spec", {}))
    )


def contains(live: Any, wanted: Any, *, quantity: bool = False) -> bool:
    """Whether `live` has every value of `wanted`. Its other fields are ignored. Lists must have equal length."""
    if isinstance(wanted, dict):
        live = {} if live is None and not wanted else live
        return isinstance(live, dict) and all(
            contains(live.get(name), value, quantity=quantity or name in _QUANTITIES) for name, value in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        if not isinstance(live, list | tuple) or len(live) != len(wanted):
            return not wanted and live is None
        return all(contains(item, other) for item, other in zip(live, wanted, strict=True))
    if quantity and live is not None:
        return bool(_quantity(live) == _quantity(wanted))
    # The API server omits empty values: "" and an empty mapping come back as absent.
    return bool(live == wanted) or (live is None and wanted == "")


def _quantity(value: Any) -> Any:
    """A Kubernetes quantity as a number; any other value unchanged."""
    text = str(value)
    for suffix, factor in _SUFFIXES.items():
        if text.endswith(suffix):
            return _number(text.removesuffix(suffix), factor, text)
    return _number(text, Decimal(1), text)


def _number(digits: str, factor: Decimal, text: str) -> Any:
    try:
        return Decimal(digits) * factor
    except InvalidOperation:
        return text
