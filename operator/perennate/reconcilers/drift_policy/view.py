"""What a policy sees of its target in a pass: the condition Ready, and the evaluation of the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennate.api.documents.canonical import short_version
from perennate.api.v1alpha1.drift_policy import ConditionType, Reason
from perennate.reconcilers.drift_policy.evaluation.alarms import report_alarm
from perennate.reconcilers.drift_policy.evaluation.performance import drop_unwatched
from perennate.reconcilers.drift_policy.evaluation.rules import PolicyRules
from perennate.reconcilers.drift_policy.evaluation.window import evaluate_window, mark_unknown, most_informative, reset
from perennate.reconcilers.drift_policy.gauges import NO_FEATURES, feature_gauges, status_gauges

if TYPE_CHECKING:
    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus
    from perennate.api.v1alpha1.drift_spec import DriftPolicySpec
    from perennate.api.v1alpha1.model_deployment import Revision
    from perennate.drift import Sample
    from perennate.reconcilers.chain import Violation
    from perennate.reconcilers.gauges import GaugeUpdate
    from perennate.reconcilers.status_builder import StatusBuilder
    from perennate.reconcilers.watch import WatchState


@dataclass(frozen=True)
class WindowView:
    """What a pass can see of the target.

    Attributes:
        spec: spec of the policy.
        served: the revision that every pod of the target serves, None if there is none.
        state: the state of the watch.
        blocked: what keeps the policy from watching, if anything.
    """

    spec: DriftPolicySpec
    served: Revision | None
    state: WatchState
    blocked: Violation | None

    @property
    def reference(self) -> str | None:
        """Digest of the reference profile of the served version, None if it is not known."""
        if self.served is None:
            return None
        fetched = self.state.profile.digest if self.state.profile is not None else None
        return self.served.profile_digest or fetched

    @property
    def version(self) -> str:
        """The served version, in its short form."""
        return short_version(self.served.digest) if self.served is not None else ""

    @property
    def inapplicable(self) -> Violation | None:
        """The first rule of spec.features that does not apply to the served version, if any."""
        if self.blocked is not None or self.state.profile is None:
            return None
        spec = self.spec
        return PolicyRules(spec.features, spec.drifted, spec.warning, self.state.profile).first_inapplicable()

    @property
    def sample(self) -> Sample | None:
        """The counts to evaluate in this pass, None if there is nothing to evaluate."""
        sample = self.state.sample
        if self.blocked is not None or not self.state.evaluation_due or sample is None:
            return None
        return sample if sample.profile.digest == self.reference else None

    def awaits_known_profile(self, status: DriftPolicyStatus, generation: int) -> bool:
        """Whether the operator restarted and must fetch again the profile that the status was derived from."""
        return (
            self.blocked is not None
            and self.blocked.reason == Reason.REFERENCE_AWAITED
            and status.observed_generation == generation
            and status.window is not None
            and status.window.profile_digest == self.reference
        )


def report_ready(builder: StatusBuilder[DriftPolicyStatus], view: WindowView) -> None:
    """Set Ready: True if the policy watches its target or is suspended.

    After a restart of the operator it stays as it was until the profile is fetched again.
    """
    blocked, inapplicable = view.blocked, view.inapplicable
    if view.awaits_known_profile(builder.status, builder.generation):
        return
    if inapplicable is not None:
        # Everything else is watched: a new version without the feature must not stop all monitoring.
        _report_not_ready(builder, inapplicable)
    elif blocked is None:
        message = f"monitoring ModelDeployment {view.spec.target_ref.name}"
        builder.set(ConditionType.READY, "True", Reason.WATCHING, message)
    elif blocked.reason == Reason.SUSPENDED:
        builder.set(ConditionType.READY, "True", blocked.reason, blocked.message)
    elif blocked.reason == Reason.REFERENCE_AWAITED:
        # Every new version passes through this state until the next scrape, so it emits no Event.
        builder.set(ConditionType.READY, "Unknown", blocked.reason, blocked.message)
    else:
        _report_not_ready(builder, blocked)


def evaluate_if_due(builder: StatusBuilder[DriftPolicyStatus], view: WindowView) -> tuple[GaugeUpdate, ...]:
    """Evaluate the window if an evaluation is due. Returns the gauges that change.

    Streaks change only in an evaluation. A new reference discards the results for the previous version.
    """
    gauges: tuple[GaugeUpdate, ...] = ()
    for alarm in (ConditionType.DRIFT_DETECTED, ConditionType.DATA_QUALITY):
        if builder.condition(alarm) is None:
            builder.set(alarm, "Unknown", Reason.INSUFFICIENT_DATA, "not evaluated yet")
    if _discard_other_version(builder, view):
        gauges = (NO_FEATURES,)
    if view.blocked is not None and (view.state.evaluation_due or view.spec.suspend):
        mark_unknown(builder, view.blocked)
        gauges = (NO_FEATURES,)
    sample = view.sample
    if sample is not None:
        active = builder.is_true(ConditionType.TRAFFIC_UNUSUAL)
        result = evaluate_window(view.spec, builder.status, sample, builder.time, unusual_traffic=active)
        pods = {"pods": view.state.pods_total, "pods_seen": view.state.pods_seen}
        builder.update(**result.fields | {"window": result.fields["window"].model_copy(update=pods)})
        for report in result.alarms:
            report_alarm(builder, report)
        gauges = (feature_gauges(most_informative(result.evaluation.features)),)
    drop_unwatched(view.spec, builder)
    return (*status_gauges(builder.status), *gauges)


def _discard_other_version(builder: StatusBuilder[DriftPolicyStatus], view: WindowView) -> bool:
    """Discard the results for another version than the served one. Returns whether there were any."""
    window, reference = builder.status.window, view.reference
    if reference is None or window is None or window.profile_digest == reference:
        return False
    message = f"version {view.version} is served now; it is compared with its own reference profile"
    builder.emit_event(Reason.WATCHING, message)
    reset(builder, profile_digest=reference, message=message)
    return True


def _report_not_ready(builder: StatusBuilder[DriftPolicyStatus], violation: Violation) -> None:
    if builder.set(ConditionType.READY, "False", violation.reason, violation.message):
        builder.emit_event(violation.reason, violation.message, warning=True)
