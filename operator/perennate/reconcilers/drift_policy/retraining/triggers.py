"""What asks for a retraining: a person, lost performance, or lasting drift. Off unless given; Unknown never asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perennate.api.conditions import find_condition, is_true
from perennate.api.durations import parse_duration
from perennate.api.v1alpha1.drift_policy import ConditionType
from perennate.api.wellknown import ANNOTATION_RETRAIN
from perennate.reconcilers.times import seconds_between
from perennate.reconcilers.wording import TEXT_LIMIT, truncate

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.meta import Condition
    from perennate.api.v1alpha1 import DriftPolicy
    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus


@dataclass(frozen=True)
class TriggerDecision:
    """A trigger that was pulled, and why."""

    kind: Literal["Drift", "Performance", "Manual"]
    message: str


def requested_retrain(resource: DriftPolicy) -> str | None:
    """The value of the retrain annotation if it has not been answered yet."""
    value = truncate(resource.metadata.annotations.get(ANNOTATION_RETRAIN, ""), TEXT_LIMIT) or None
    return value if value != resource.status.handled_retrain else None


def manual(resource: DriftPolicy) -> TriggerDecision | None:
    """A person asks by annotation."""
    value = requested_retrain(resource)
    return TriggerDecision("Manual", f"a person asked for a retraining ({value})") if value is not None else None


def measured(
    resource: DriftPolicy, status: DriftPolicyStatus, conditions: tuple[Condition, ...], now: datetime
) -> TriggerDecision | None:
    """What the last evaluation asks for: lost performance first, then drift that is strong and has lasted.

    Args:
        resource: the policy.
        status: its status after this pass's evaluation, if any.
        conditions: its conditions after this pass's evaluation.
        now: time of the pass.
    """
    triggers = resource.spec.triggers
    drifted = [feature.psi_star for feature in status.features if feature.verdict == "Drifted"]
    if triggers.performance is not None and is_true(conditions, ConditionType.PERFORMANCE_LOST):
        return TriggerDecision("Performance", _message(conditions, ConditionType.PERFORMANCE_LOST))
    if triggers.drift is None or not is_true(conditions, ConditionType.DRIFT_DETECTED) or status.drift.since is None:
        return None
    strongest = max(drifted, default=0.0)
    lasted = seconds_between(status.drift.since, now)
    if strongest < triggers.drift.threshold or lasted < parse_duration(triggers.drift.duration):
        return None
    return TriggerDecision("Drift", _message(conditions, ConditionType.DRIFT_DETECTED))


def _message(conditions: tuple[Condition, ...], type_: str) -> str:
    found = find_condition(conditions, type_)
    return found.message if found is not None else ""
