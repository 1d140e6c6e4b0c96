"""The guard: checks between a trigger and an episode. RetrainingActive reports the first violation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perennate.api.durations import parse_duration
from perennate.api.v1alpha1.drift_policy import Reason
from perennate.reconcilers.chain import Chain, Violation
from perennate.reconcilers.drift_policy.retraining.cooldown import budget_returns, next_trigger_time, starts_of_the_day
from perennate.reconcilers.times import parse_time, rfc3339
from perennate.reconcilers.wording import pluralize

if TYPE_CHECKING:
    from datetime import datetime

    from perennate.api.v1alpha1.drift_spec import Retrain
    from perennate.reconcilers.drift_policy.retraining.triggers import TriggerDecision


@dataclass(frozen=True)
class RetrainRequest:
    """A trigger that fired, and what the guard checks it against.

    Attributes:
        decision: the trigger.
        retrain: spec.retrain, None if it is not given.
        dry_run: spec.dryRun.
        target: name of the target.
        served_line: model line that the target serves; None if there is no target.
        faults: the data faults that hold retraining back, as text; empty if there are none.
        last_triggered: start of the last retraining, RFC 3339; None if there was none.
        lost_challengers: challengers in a row that lost.
        starts: starts of retrainings, RFC 3339.
        now: time of the pass.
    """

    decision: TriggerDecision
    retrain: Retrain | None
    dry_run: bool
    target: str
    served_line: str | None
    faults: str
    last_triggered: str | None
    lost_challengers: int
    starts: tuple[str, ...]
    now: datetime

    @property
    def is_manual(self) -> bool:
        """Whether the trigger is a manual request."""
        return self.decision.kind == "Manual"

    @property
    def cooled_down_at(self) -> str | None:
        """End of the cool-down, RFC 3339; None before the first retraining."""
        if self.retrain is None:
            return None
        return next_trigger_time(self.last_triggered, parse_duration(self.retrain.cooldown), self.lost_challengers)

    @property
    def starts_of_the_day(self) -> tuple[str, ...]:
        """Starts in the last 24 hours."""
        return starts_of_the_day(self.starts, self.now)


def template_is_given(request: RetrainRequest) -> Violation | None:
    """spec.retrain is given."""
    if request.retrain is not None:
        return None
    return Violation(Reason.INVALID_SPEC, "spec.retrain: must be set to retrain")


def template_trains_what_is_served(request: RetrainRequest) -> Violation | None:
    """The template trains the model line that the target serves: a version of another line would not roll out."""
    if request.retrain is None or request.served_line is None:
        return None
    got = request.retrain.training_job_template.spec.model.name
    if request.served_line == got:
        return None
    return Violation(
        Reason.INVALID_SPEC,
        f'spec.retrain.trainingJobTemplate.spec.model.name: must be "{request.served_line}", the model line that '
        f'ModelDeployment "{request.target}" serves; got "{got}"',
    )


def not_dry_run(request: RetrainRequest) -> Violation | None:
    """spec.dryRun is false."""
    if not request.dry_run:
        return None
    return Violation(
        Reason.DRY_RUN, f"spec.dryRun is true; otherwise a TrainingJob would be created: {request.decision.message}"
    )


def cooled_down(request: RetrainRequest) -> Violation | None:
    """The cool-down has ended. It does not apply to a person's request."""
    until = request.cooled_down_at
    if until is None or request.is_manual or request.now >= parse_time(until):
        return None
    lost = f", {pluralize(request.lost_challengers, 'challenger')} in a row lost" if request.lost_challengers else ""
    return Violation(Reason.COOLDOWN_ACTIVE, f"no retraining before {until}: the cool-down is active{lost}")


def within_budget(request: RetrainRequest) -> Violation | None:
    """Fewer than spec.retrain.maxPerDay retrainings started in 24 hours, whoever started them."""
    retrain, starts = request.retrain, request.starts_of_the_day
    if retrain is None or len(starts) < retrain.max_per_day:
        return None
    until = rfc3339(budget_returns(starts, retrain.max_per_day))
    return Violation(
        Reason.BUDGET_SPENT,
        f"no retraining before {until}: the daily budget is spent ({pluralize(len(starts), 'retraining')} in 24 hours, "
        f"spec.retrain.maxPerDay is {retrain.max_per_day})",
    )


def data_are_sound(request: RetrainRequest) -> Violation | None:
    """No data fault of spec.brake.dataFaults. It does not apply to a person's request."""
    if not request.faults or request.is_manual:
        return None
    return Violation(Reason.DATA_FAULT, f"no retraining on faulty data (spec.brake.dataFaults): {request.faults}")


BEFORE_EPISODE: Final = Chain(
    (template_is_given, template_trains_what_is_served, not_dry_run, data_are_sound, cooled_down, within_budget)
)
"""Checked in this order before an episode is opened, if none is open."""


def seconds_until_allowed(request: RetrainRequest, violation: Violation) -> float | None:
    """Seconds until a violation ends by itself, None if time alone does not end it."""
    if violation.reason == Reason.COOLDOWN_ACTIVE and (until := request.cooled_down_at) is not None:
        return (parse_time(until) - request.now).total_seconds()
    if violation.reason == Reason.BUDGET_SPENT and request.retrain is not None:
        returns = budget_returns(request.starts_of_the_day, request.retrain.max_per_day)
        return (returns - request.now).total_seconds()
    return None
