"""Base models and fields that all kinds share: metadata, conditions, history, resources."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

Manifest = dict[str, Any]
"""A Kubernetes object as JSON values. One that comes from the cache is shared: do not change it."""

NAME_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DIGEST_PATTERN: Final = r"^sha256:[0-9a-f]{64}$"

LARGEST: Final = 9e18
"""Bound of numbers without a natural one. The API server compares a whole number such as 1.0 as a 64-bit integer, and a
larger bound would make it reject every value."""

ObjectName = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=63)]
"""Name of an object in the same namespace (RFC 1123 label)."""
Digest = Annotated[str, StringConstraints(pattern=DIGEST_PATTERN, max_length=71)]
"""`sha256:` and 64 hexadecimal digits."""
ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
"""Name of a column of a data set."""
Message = Annotated[str, StringConstraints(max_length=1024)]
"""Human-readable text."""
Time = Annotated[str, StringConstraints(max_length=32), Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 time, in UTC."""


class Model(BaseModel):
    """Base of all specs and documents: immutable, camelCase in JSON, unknown fields are errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        allow_inf_nan=False,
    )

    def to_document(self) -> dict[str, Any]:
        """The model as JSON values. Fields that are None are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class StatusModel(Model):
    """Base of models that are read from a status. Unknown fields, written by a newer operator, are ignored."""

    model_config = ConfigDict(extra="ignore")


class OwnerReference(StatusModel):
    """An entry of `metadata.ownerReferences`."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class ObjectMeta(StatusModel):
    """The fields of `metadata` that the reconcilers use."""

    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()


class Condition(StatusModel):
    """A condition of an object (metav1.Condition)."""

    type: Annotated[str, StringConstraints(max_length=64)] = Field(description="Type of the condition.")
    status: Literal["True", "False", "Unknown"] = Field(description="Status of the condition.")
    reason: Annotated[str, StringConstraints(max_length=64)] = Field(
        description="Reason for the status, as one CamelCase word."
    )
    message: Message = Field(default="", description="Human-readable explanation.")
    last_transition_time: Time = Field(default="", description="Time of the last change of `status`.")
    observed_generation: int = Field(
        default=0, ge=0, description="Generation of the spec that this condition is based on."
    )


class HistoryEntry(StatusModel):
    """A decision of the operator."""

    time: Time = Field(description="Time of the decision.")
    reason: Annotated[str, StringConstraints(max_length=64)] = Field(description="Decision, as one CamelCase word.")
    message: Message = Field(default="", description="Human-readable explanation.")
    digest: Annotated[str, StringConstraints(max_length=71)] | None = Field(
        default=None, description="Digest of the model version, if the decision concerns one."
    )
    trigger: Annotated[str, StringConstraints(max_length=128)] | None = Field(
        default=None, description="What caused the decision: a policy, an episode or a user."
    )


HISTORY_LIMIT: Final = 20
"""Maximum number of entries in `status.history`. The oldest are dropped."""

LIST_MAP_BY_TYPE: Final[JsonDict] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
LIST_MAP_BY_NAME: Final[JsonDict] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
LIST_ATOMIC: Final[JsonDict] = {"x-kubernetes-list-type": "atomic"}

Conditions = Annotated[
    tuple[Condition, ...],
    Field(
        default=(),
        max_length=16,
        description="Conditions of the object, one per type.",
        json_schema_extra=LIST_MAP_BY_TYPE,
    ),
]
History = Annotated[
    tuple[HistoryEntry, ...],
    Field(
        default=(),
        max_length=HISTORY_LIMIT,
        description="Decisions of the operator, oldest first. The last 20 are kept.",
        json_schema_extra=LIST_ATOMIC,
    ),
]


@dataclass(frozen=True)
class PrinterColumn:
    """A column of `kubectl get`."""

    name: str
    type: str
    path: str
    description: str
    priority: int = 0


@dataclass(frozen=True)
class Scale:
    """JSON paths of the scale subresource."""

    spec_replicas_path: str
    status_replicas_path: str
    label_selector_path: str


@dataclass(frozen=True)
class KindDeclaration:
    """Names, columns and subresources of a kind in its CustomResourceDefinition."""

    kind: str
    plural: str
    singular: str
    short_names: tuple[str, ...]
    description: str
    columns: tuple[PrinterColumn, ...] = field(default=())
    scale: Scale | None = None


class CustomResource(StatusModel):
    """Base of the custom resources. `declaration` describes the kind for its CustomResourceDefinition."""

    declaration: ClassVar[KindDeclaration]

    metadata: ObjectMeta


def validation(rule: str, message: str, *, field_path: str | None = None, reason: str | None = None) -> JsonDict:
    """A CEL rule for `x-kubernetes-validations`."""
    extra = {"fieldPath": field_path, "reason": reason}
    return {"rule": rule, "message": message, **{key: value for key, value in extra.items() if value is not None}}


def frozen_field(name: str, kind: str) -> JsonDict:
    """A CEL rule for a spec: the field cannot be added, removed or changed after creation."""
    return validation(
        f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || self.{name} == oldSelf.{name})",
        f"spec.{name} of a {kind} is immutable; create another {kind}",
        field_path=f".{name}",
    )
