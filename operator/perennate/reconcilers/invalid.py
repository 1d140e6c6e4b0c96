"""A spec that the schema let through and we cannot read: said in a condition, and nothing else is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from perennate.api.v1alpha1 import DriftPolicy, ModelDeployment, TrainingJob
from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus
from perennate.api.v1alpha1.model_deployment import ModelDeploymentStatus
from perennate.api.v1alpha1.training_job import ConditionType, TrainingJobStatus
from perennate.reconcilers.plan import LEAVE_ALONE, Plan
from perennate.reconcilers.status_builder import StatusBuilder, replaced
from perennate.reconcilers.times import rfc3339
from perennate.reconcilers.wording import truncate

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.meta import CustomResource, ObjectMeta

Status = TrainingJobStatus | ModelDeploymentStatus | DriftPolicyStatus

STATUS_MODELS: Final[dict[type[CustomResource], type[Status]]] = {
    TrainingJob: TrainingJobStatus,
    ModelDeployment: ModelDeploymentStatus,
    DriftPolicy: DriftPolicyStatus,
}
INVALID_SPEC: Final = "InvalidSpec"
_TERMINAL: Final = frozenset({ConditionType.COMPLETE, ConditionType.FAILED})


@dataclass(frozen=True)
class InvalidObserved:
    """An object of ours whose spec did not parse.

    Attributes:
        kind: class of the object.
        metadata: its metadata.
        status: its status as the API server holds it, empty if none.
        message: what is wrong, naming the field.
        now: time of the pass, aware, in UTC.
    """

    kind: type[CustomResource]
    metadata: ObjectMeta
    status: dict[str, Any]
    message: str
    now: datetime


def decide_invalid(observed: InvalidObserved) -> Plan:
    """Report the field that cannot be read; children stay as they are, and a finished run stays finished."""
    if observed.metadata.deletion_timestamp is not None:
        return LEAVE_ALONE
    status = _readable_status(observed)
    if any(condition.type in _TERMINAL and condition.status == "True" for condition in status.conditions):
        return LEAVE_ALONE
    builder = StatusBuilder(status.conditions, status.history, observed.metadata.generation, rfc3339(observed.now))
    summary_condition = "Complete" if observed.kind is TrainingJob else "Ready"
    if builder.set(summary_condition, "False", INVALID_SPEC, observed.message):
        builder.emit_event(INVALID_SPEC, observed.message, warning=True)
    document = replaced(
        status,
        observed_generation=observed.metadata.generation,
        summary=truncate(observed.message),
        conditions=builder.conditions(),
    ).to_document()
    return Plan(status=document, events=tuple(builder.events))


def _readable_status(observed: InvalidObserved) -> Status:
    """The status as it is; an empty one if that cannot be read either."""
    model = STATUS_MODELS[observed.kind]
    try:
        return model.model_validate(observed.status)
    except ValidationError:
        return model()
