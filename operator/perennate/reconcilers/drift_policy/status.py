"""The status of a DriftPolicy: its summary, and what RetrainingActive says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perennate.api.conditions import find_condition, is_true
from perennate.api.v1alpha1.drift_policy import ConditionType, EpisodePhase, Reason
from perennate.reconcilers.drift_policy.evaluation.data_quality import describe_faults
from perennate.reconcilers.drift_policy.evaluation.performance import describe_performance
from perennate.reconcilers.drift_policy.evaluation.window import describe_features
from perennate.reconcilers.drift_policy.retraining.episode import is_open
from perennate.reconcilers.status_builder import replaced
from perennate.reconcilers.wording import truncate

if TYPE_CHECKING:
    from perennate.api.v1alpha1 import DriftPolicy
    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus, Episode
    from perennate.reconcilers.policy import Violation
    from perennate.reconcilers.status_builder import StatusBuilder

STARTS_LIMIT: Final = 48
"""Starts of retrainings that status keeps."""

_EPISODE_REASONS: Final = {
    EpisodePhase.OPENED: Reason.EPISODE_OPENED,
    EpisodePhase.TRAINING: Reason.TRAINING,
    EpisodePhase.ROLLING_OUT: Reason.ROLLING_OUT,
}


def describe_episode(episode: Episode) -> str:
    """How far an episode is, in one sentence."""
    name = f"episode {episode.number} ({episode.trigger})"
    if episode.phase == EpisodePhase.OPENED:
        return f"{name} is open: TrainingJob {episode.training_job} is next"
    if episode.phase == EpisodePhase.TRAINING:
        return f"{name}: TrainingJob {episode.training_job} is running"
    if episode.phase == EpisodePhase.ROLLING_OUT:
        return f"{name}: the version of TrainingJob {episode.training_job} is being rolled out"
    return f"{name} ended: {episode.outcome}"


def settle_retraining(
    resource: DriftPolicy, status: DriftPolicyStatus, builder: StatusBuilder, denied: Violation | None
) -> None:
    """RetrainingActive: the open episode, else what stands against one, else how the last one ended."""
    episode = status.episode
    if episode is not None and is_open(episode):
        reason = _EPISODE_REASONS[episode.phase]
        builder.set(ConditionType.RETRAINING_ACTIVE, "True", reason, describe_episode(episode))
    elif denied is not None:
        if builder.set(ConditionType.RETRAINING_ACTIVE, "False", denied.reason, denied.message):
            builder.emit_event(denied.reason, denied.message)
    elif is_true(builder.conditions(), ConditionType.DRIFT_DETECTED) and resource.spec.triggers.drift is None:
        message = _why_no_trigger(resource, status, builder)
        if builder.set(ConditionType.RETRAINING_ACTIVE, "False", Reason.NO_TRIGGER, message):
            builder.add_history(Reason.NO_TRIGGER, message)
    else:
        outcome = episode.outcome if episode is not None else None
        message = describe_episode(episode) if episode is not None else "nothing has asked for a retraining yet"
        builder.set(ConditionType.RETRAINING_ACTIVE, "False", outcome or Reason.NO_EPISODE, message)


def _why_no_trigger(resource: DriftPolicy, status: DriftPolicyStatus, builder: StatusBuilder) -> str:
    """Why drift that was found retrains nothing, with what the trigger that is given sees."""
    drifted = [feature.name for feature in status.features if feature.verdict == "Drifted"]
    named = f"drift of {', '.join(drifted)} alone" if drifted else "drift alone"
    trigger = resource.spec.triggers.performance
    if trigger is None:
        return f"{named} is an alarm, no reason to retrain: spec.triggers.drift is not given"
    found = find_condition(builder.conditions(), ConditionType.PERFORMANCE_LOST)
    held = "held" if found is not None and found.status == "False" else "unknown"
    seen = found.message if found is not None else "not evaluated yet"
    watched = f"spec.triggers.performance watches {trigger.metric}, {held}: {seen}"
    return f"{named} is an alarm, no reason to retrain: {watched}"


def summarise(
    resource: DriftPolicy, status: DriftPolicyStatus, builder: StatusBuilder, blocked: Violation | None
) -> str:
    """What the policy sees and does, in one sentence."""
    ready = find_condition(builder.conditions(), ConditionType.READY)
    is_told = blocked is not None and ready is not None and ready.reason == blocked.reason
    parts = [blocked.message] if blocked is not None and is_told else [_sight(status, builder)]
    if status.episode is not None and is_open(status.episode):
        parts.append(describe_episode(status.episode))
    else:
        active = find_condition(builder.conditions(), ConditionType.RETRAINING_ACTIVE)
        if active is not None and active.reason not in {Reason.NO_EPISODE, Reason.NO_TRIGGER}:
            parts.append(active.message)
        elif status.episode is not None:
            parts.append(describe_episode(status.episode))
    return "; ".join(parts)


def compose(
    resource: DriftPolicy, status: DriftPolicyStatus, builder: StatusBuilder, *, blocked: Violation | None
) -> dict[str, Any]:
    """The whole status document after the pass.

    Args:
        resource: the policy.
        status: what the pass made of its status.
        builder: conditions and history of the pass.
        blocked: what keeps the policy from watching, if anything.
    """
    return replaced(
        status,
        observed_generation=resource.metadata.generation,
        summary=truncate(summarise(resource, status, builder, blocked)),
        conditions=builder.conditions(),
        history=builder.history,
    ).to_document()


def _sight(status: DriftPolicyStatus, builder: StatusBuilder) -> str:
    """What the last evaluation saw."""
    found = find_condition(builder.conditions(), ConditionType.DRIFT_DETECTED)
    if found is None or found.status == "Unknown":
        seen = found.message if found is not None and found.message else "not evaluated yet"
    elif found.status == "True":
        seen = describe_features(status) or "drift is receding"
    else:
        seen = "no drift"
    faults = describe_faults(status.data_faults) if status.data_fault.active else ""
    return ", ".join(part for part in (seen, faults, describe_performance(status.performance)) if part)
