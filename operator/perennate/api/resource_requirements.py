"""Compute resources of a container."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from perennate.api.meta import Model, validation
from perennate.api.qualified import QUALIFIED, KeyRule

_QUANTITY_LENGTH: Final = 32
_NATIVE: Final = ("cpu", "memory", "ephemeral-storage")
_KNOWN: Final = KeyRule(
    f"key.contains('/') || key.startsWith('hugepages-') || key in {list(_NATIVE)}",
    "a resource is cpu, memory, ephemeral-storage, hugepages-SIZE, or has the prefix of its vendor",
    lambda name: "/" in name or name.startswith("hugepages-") or name in _NATIVE,
)

QuantityValue = Annotated[
    Annotated[str, StringConstraints(max_length=_QUANTITY_LENGTH, pattern="^[^-]")]
    | Annotated[int, Field(strict=True, ge=0)],
    Field(
        json_schema_extra={
            "x-kubernetes-int-or-string": True,
            "maxLength": _QUANTITY_LENGTH,
            "pattern": (
                r"^\+?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
                r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
            ),
            "x-kubernetes-validations": [
                validation("type(self) != int || self >= 0", "a quantity must not be negative")
            ],
        }
    ),
]
"""Kubernetes quantity: `500m`, `1Gi`, `2`."""
Quantities = Annotated[dict[str, QuantityValue], Field(max_length=16), QUALIFIED, _KNOWN]
"""Quantities by name of the resource."""


class ResourceRequirements(Model):
    """Compute resources of a container, as in core/v1."""

    requests: Quantities = Field(default_factory=dict, description="Resource requests by name (cpu, memory, ...).")
    limits: Quantities = Field(default_factory=dict, description="Resource limits by name (cpu, memory, ...).")
