"""Triggers: a person, lost performance, or lasting drift. Off unless given; Unknown never triggers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perennate.api.conditions import find_condition, is_true
from perennate.api.durations import parse_duration
from perennate.api.v1alpha1.drift_policy import ConditionType
from perennate.api.wellknown import ANNOTATION_RETRAIN
from perennate.reconcilers.times import seconds_between
from perennate.reconcilers.wording import TEXT_LIMIT, truncate
from perennate.text import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from perennate.api.meta import Condition
    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus
    from perennate.api.v1alpha1.drift_spec import Triggers


@dataclass(frozen=True)
class TriggerDecision:
    """The trigger that fired, and why."""

    kind: Literal["Drift", "Performance", "Manual"]
    message: str


def unhandled_request(annotations: Mapping[str, str], handled: str | None) -> str | None:
    """The value of the retrain annotation, None if there is none or if it was handled."""
    value = truncate(annotations.get(ANNOTATION_RETRAIN, ""), TEXT_LIMIT) or None
    return value if value != handled else None


def manual_trigger(request: str) -> TriggerDecision:
    """The decision for an unhandled request of a person."""
    return TriggerDecision("Manual", f"manual retraining requested ({shortened(request)})")


def measured_trigger(
    triggers: Triggers, status: DriftPolicyStatus, conditions: tuple[Condition, ...], now: datetime
) -> TriggerDecision | None:
    """The trigger that fires on the last evaluation: lost performance first, then strong drift that has lasted.

    Args:
        triggers: spec.triggers.
        status: status after the evaluation of this pass, if any.
        conditions: conditions after the evaluation of this pass.
        now: time of the pass.
    """
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
