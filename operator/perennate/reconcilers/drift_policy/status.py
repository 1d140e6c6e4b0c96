"""The summary of a DriftPolicy, and the condition RetrainingActive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate.api.v1alpha1.drift_policy import ConditionType, EpisodePhase, Reason
from perennate.reconcilers.drift_policy.evaluation.data_quality import describe_faults
from perennate.reconcilers.drift_policy.evaluation.performance import describe_performance
from perennate.reconcilers.drift_policy.evaluation.window import RECEDING, describe_features
from perennate.reconcilers.drift_policy.retraining.episode import is_open

if TYPE_CHECKING:
    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus, Episode
    from perennate.api.v1alpha1.drift_spec import Triggers
    from perennate.reconcilers.chain import Violation
    from perennate.reconcilers.status_builder import StatusBuilder

_EPISODE_REASONS: Final = {
    EpisodePhase.OPENED: Reason.EPISODE_OPENED,
    EpisodePhase.TRAINING: Reason.TRAINING,
    EpisodePhase.ROLLING_OUT: Reason.ROLLING_OUT,
}


def describe_episode(episode: Episode) -> str:
    """The progress of an episode in one sentence."""
    name = f"episode {episode.number} ({episode.trigger})"
    if episode.phase == EpisodePhase.OPENED:
        return f"{name} is open: TrainingJob {episode.training_job} is created next"
    if episode.phase == EpisodePhase.TRAINING:
        return f"{name}: TrainingJob {episode.training_job} is running"
    if episode.phase == EpisodePhase.ROLLING_OUT:
        return f"{name}: the version of TrainingJob {episode.training_job} is being rolled out"
    return f"{name} ended: {episode.outcome}"


def report_retraining(builder: StatusBuilder[DriftPolicyStatus], triggers: Triggers, denied: Violation | None) -> None:
    """Set RetrainingActive: the open episode, else the violation of the guard, else the outcome of the last episode."""
    active, episode = ConditionType.RETRAINING_ACTIVE, builder.status.episode
    if episode is not None and is_open(episode):
        builder.set(active, "True", _EPISODE_REASONS[episode.phase], describe_episode(episode))
    elif denied is not None:
        if builder.set(active, "False", denied.reason, denied.message):
            builder.emit_event(denied.reason, denied.message)
    elif builder.is_true(ConditionType.DRIFT_DETECTED) and triggers.drift is None:
        message = _why_no_trigger(builder, triggers)
        if builder.set(active, "False", Reason.NO_TRIGGER, message):
            builder.add_history(Reason.NO_TRIGGER, message)
    else:
        outcome = episode.outcome if episode is not None else None
        message = describe_episode(episode) if episode is not None else "no trigger has fired yet"
        builder.set(active, "False", outcome or Reason.NO_EPISODE, message)


def summarise(builder: StatusBuilder[DriftPolicyStatus], blocked: Violation | None) -> str:
    """The policy in one sentence: what it observes, and what it does about it.

    Args:
        builder: status of the pass.
        blocked: what keeps the policy from watching, if anything.
    """
    ready, status = builder.condition(ConditionType.READY), builder.status
    is_reported = blocked is not None and ready is not None and ready.reason == blocked.reason
    parts = [blocked.message] if blocked is not None and is_reported else [_findings(builder)]
    if status.episode is not None and is_open(status.episode):
        parts.append(describe_episode(status.episode))
    else:
        active = builder.condition(ConditionType.RETRAINING_ACTIVE)
        if active is not None and active.reason not in {Reason.NO_EPISODE, Reason.NO_TRIGGER}:
            parts.append(active.message)
        elif status.episode is not None:
            parts.append(describe_episode(status.episode))
    return "; ".join(parts)


def _why_no_trigger(builder: StatusBuilder[DriftPolicyStatus], triggers: Triggers) -> str:
    """Why the detected drift starts no retraining, with the state of the performance trigger if it is given."""
    drifted = [feature.name for feature in builder.status.features if feature.verdict == "Drifted"]
    named = f"drift of {', '.join(drifted)}" if drifted else "drift"
    if triggers.performance is None:
        return f"{named} raises an alarm but starts no retraining: spec.triggers.drift is not set"
    found = builder.condition(ConditionType.PERFORMANCE_LOST)
    held = "held" if found is not None and found.status == "False" else "unknown"
    seen = found.message if found is not None else "not evaluated yet"
    watched = f"spec.triggers.performance monitors {triggers.performance.metric}, {held}: {seen}"
    return f"{named} raises an alarm but starts no retraining: {watched}"


def _findings(builder: StatusBuilder[DriftPolicyStatus]) -> str:
    """The result of the last evaluation as text."""
    found, status = builder.condition(ConditionType.DRIFT_DETECTED), builder.status
    if found is None or found.status == "Unknown":
        drift = found.message if found is not None and found.message else "not evaluated yet"
    elif found.status == "True":
        drift = describe_features(status.features) or RECEDING
    else:
        drift = "no drift"
    faults = describe_faults(status.data_faults) if status.data_fault.active else ""
    return ", ".join(part for part in (drift, faults, describe_performance(status.performance)) if part)
