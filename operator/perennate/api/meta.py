"""What all kinds share: the base models, object metadata, conditions, resources."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

NAME_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DIGEST_PATTERN: Final = r"^sha256:[0-9a-f]{64}$"

LARGEST: Final = 9e18
"""Bound of numbers that have no natural one. The API server checks a whole number such as 1.0 as a 64-bit integer,
and a bound that does not fit into one refuses every value."""

ObjectName = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=63)]
"""Name of an object in the same namespace (RFC 1123 label)."""
Digest = Annotated[str, StringConstraints(pattern=DIGEST_PATTERN, max_length=71)]
"""`sha256:` and 64 hexadecimal digits."""
ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
"""Name of a column of a data set."""
Message = Annotated[str, StringConstraints(max_length=1024)]
"""Text for people."""
Time = Annotated[str, StringConstraints(max_length=32), Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 time, in UTC."""


class Model(BaseModel):
    """Base of all specs and documents: frozen, camelCase outside, unknown fields refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        allow_inf_nan=False,
    )

    def to_document(self) -> dict[str, Any]:
        """The model as plain JSON values, without absent fields."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class StatusModel(Model):
    """Base of what is read back from a status: fields of a newer operator are passed over, not refused."""

    model_config = ConfigDict(extra="ignore")


class OwnerReference(StatusModel):
    """An owner of an object, as the API server keeps it."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class ObjectMeta(StatusModel):
    """The part of an object's metadata that decisions look at."""

    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()


class Condition(StatusModel):
    """One aspect of an object's state (metav1.Condition)."""

    type: Annotated[str, StringConstraints(max_length=64)] = Field(description="Name of the aspect.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether the aspect holds.")
    reason: Annotated[str, StringConstraints(max_length=64)] = Field(description="Why, in one CamelCase word.")
    message: Message = Field(default="", description="Why, for people.")
    last_transition_time: Time = Field(default="", description="When `status` last changed.")
    observed_generation: int = Field(
        default=0, ge=0, description="Generation of the spec that this condition was derived from."
    )


class HistoryEntry(StatusModel):
    """One decision of the operator: what, when and why."""

    time: Time = Field(description="When it was decided.")
    reason: Annotated[str, StringConstraints(max_length=64)] = Field(
        description="What was decided, in one CamelCase word."
    )
    message: Message = Field(default="", description="Why, for people.")
    digest: Annotated[str, StringConstraints(max_length=71)] | None = Field(
        default=None, description="Model version it concerns."
    )
    trigger: Annotated[str, StringConstraints(max_length=128)] | None = Field(
        default=None, description="What set it off: a policy, an episode or a person."
    )


HISTORY_LIMIT: Final = 20
"""Entries that `status.history` keeps; the oldest go first."""

LIST_MAP_BY_TYPE: Final[JsonDict] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
LIST_MAP_BY_NAME: Final[JsonDict] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
LIST_ATOMIC: Final[JsonDict] = {"x-kubernetes-list-type": "atomic"}

Conditions = Annotated[
    tuple[Condition, ...],
    Field(
        default=(),
        max_length=16,
        description="Aspects of the object's state, one entry a type.",
        json_schema_extra=LIST_MAP_BY_TYPE,
    ),
]
History = Annotated[
    tuple[HistoryEntry, ...],
    Field(
        default=(),
        max_length=HISTORY_LIMIT,
        description="Decisions of the operator, oldest first.",
        json_schema_extra=LIST_ATOMIC,
    ),
]

_QUANTITY_LENGTH: Final = 32

QuantityValue = Annotated[
    Annotated[str, StringConstraints(max_length=_QUANTITY_LENGTH)] | Annotated[int, Field(strict=True)],
    Field(
        json_schema_extra={
            "x-kubernetes-int-or-string": True,
            "maxLength": _QUANTITY_LENGTH,
            "pattern": (
                r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
                r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
            ),
        }
    ),
]
"""Kubernetes quantity: `500m`, `1Gi`, `2`."""


class ResourceRequirements(Model):
    """Compute resources of a container, as in core/v1."""

    requests: dict[str, QuantityValue] = Field(
        default_factory=dict,
        max_length=16,
        description="What the scheduler reserves, by resource name (cpu, memory, ...).",
    )
    limits: dict[str, QuantityValue] = Field(
        default_factory=dict,
        max_length=16,
        description="What the container may use at most, by resource name (cpu, memory, ...).",
    )


@dataclass(frozen=True)
class PrinterColumn:
    """One column of `kubectl get`."""

    name: str
    type: str
    path: str
    description: str
    priority: int = 0


@dataclass(frozen=True)
class Scale:
    """Paths of the scale subresource."""

    spec_replicas_path: str
    status_replicas_path: str
    label_selector_path: str


@dataclass(frozen=True)
class KindDeclaration:
    """How a kind is registered with the API server."""

    kind: str
    plural: str
    singular: str
    short_names: tuple[str, ...]
    description: str
    columns: tuple[PrinterColumn, ...] = field(default=())
    scale: Scale | None = None


class CustomResource(StatusModel):
    """Base of our three kinds. `declaration` says how the API server knows the kind."""

    declaration: ClassVar[KindDeclaration]

    metadata: ObjectMeta


def validation(rule: str, message: str, *, field_path: str | None = None, reason: str | None = None) -> JsonDict:
    """One CEL rule of `x-kubernetes-validations`."""
    extra = {"fieldPath": field_path, "reason": reason}
    return {"rule": rule, "message": message, **{key: value for key, value in extra.items() if value is not None}}


def frozen_field(name: str, kind: str) -> JsonDict:
    """A CEL rule for a spec: the field can be neither added, removed nor changed after creation."""
    return validation(
        f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || self.{name} == oldSelf.{name})",
        f"spec.{name} of a {kind} is frozen once it exists; create another {kind}",
        field_path=f".{name}",
    )
