"""The status of a ModelDeployment: conditions, phase and summary from the state of the rollout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perennate.api.documents.canonical import short_version
from perennate.api.v1alpha1.model_deployment import ConditionType, Phase, Reason
from perennate.builders import names
from perennate.builders.labels import owner_label
from perennate.reconcilers.model_deployment.rollout import RolloutState
from perennate.reconcilers.status_builder import StatusBuilder

if TYPE_CHECKING:
    from perennate.api.conditions import ConditionStatus
    from perennate.api.v1alpha1.model_deployment import ModelDeploymentStatus, RejectedVersion, Revision
    from perennate.reconcilers.model_deployment.observed import ModelDeploymentObserved
    from perennate.reconcilers.model_deployment.rollout import Rollout


@dataclass(frozen=True)
class VersionState:
    """The version to serve, and the state of its rollout.

    Attributes:
        current: the version to serve.
        stable: the last version that every pod served.
        candidate: a newer version that waits for a manual promotion.
        promotion_is_set: whether the spec says if newer versions wait.
        passed_over: digest of the version that would be served if it were not rejected.
        rollout: state of the rollout.
        problem: why a pod of the current version is not ready; empty if nothing is known.
        rejected: rejected versions.
        pinned: whether the spec pins the version.
    """

    current: Revision
    stable: Revision | None
    candidate: Revision | None
    promotion_is_set: bool
    passed_over: str | None
    rollout: Rollout
    problem: str
    rejected: tuple[RejectedVersion, ...]
    pinned: bool

    @property
    def is_settled(self) -> bool:
        """Whether the rollout is complete."""
        return self.rollout.state in {RolloutState.LIVE, RolloutState.EMPTY}

    @property
    def is_rejected(self) -> bool:
        """Whether the version was rejected and there is no version to roll back to."""
        return not self.is_settled and any(entry.digest == self.current.digest for entry in self.rejected)

    @property
    def why_passed_over(self) -> str:
        """Why the version that is passed over was rejected."""
        found = (entry.message for entry in self.rejected if entry.digest == self.passed_over)
        return next(found, "") or f"version {short_version(self.passed_over or '')} was rejected"

    @property
    def is_available(self) -> bool:
        """Whether the desired number of pods is available, of any version."""
        return self.rollout.available >= self.rollout.wanted

    @property
    def pods(self) -> str:
        """`2 of 3 pods`."""
        noun = "pod" if self.rollout.wanted == 1 else "pods"
        return f"{self.rollout.available} of {self.rollout.wanted} {noun}"


def report_rollout(builder: StatusBuilder[Any], state: VersionState) -> None:
    """Set Available, ModelLoaded and Progressing, and Ready, which summarises them."""
    if state.is_available:
        builder.set(ConditionType.AVAILABLE, "True", Reason.PODS_READY, "the desired number of pods is ready")
    else:
        builder.set(ConditionType.AVAILABLE, "False", Reason.PODS_NOT_READY, f"{state.pods} ready")
    builder.set(ConditionType.MODEL_LOADED, *_model_loaded(state))
    builder.set(ConditionType.PROGRESSING, *_progressing(state))
    builder.set(ConditionType.READY, *_ready(state))


def describe(state: VersionState) -> str:
    """The summary in one sentence."""
    current, stable = state.current.version, state.stable
    if state.is_rejected:
        text = f"version {current} did not become ready, and there is no version to roll back to"
    elif state.rollout.state == RolloutState.EMPTY:
        text = f"scaled to 0; version {current} would be served"
    elif state.rollout.state == RolloutState.LIVE:
        text = f"serving {current} with {state.pods}"
    else:
        done = f"{min(state.rollout.updated, state.rollout.wanted)} of {state.rollout.wanted} pods"
        keeps = f"; {stable.version} still serves" if stable is not None and stable.version != current else ""
        text = f"rolling out {current} ({done}){keeps}"
    return "; ".join(part for part in (text, state.problem, _pending_version(state)) if part)


def why_waiting(candidate: Revision, *, is_manual: bool) -> str:
    """Why a version is not rolled out yet, and what to do.

    Args:
        candidate: the version.
        is_manual: whether it waits because the spec says so, and not because captured labels alone have proven it.
    """
    rollout = "annotate this object with perennate.dev/promote-requested-at=<time> to roll it out"
    if is_manual:
        return f"version {candidate.version} waits for a manual promotion: {rollout}"
    return (
        f"version {candidate.version} was trained on captured labels without data.captured.anchor, so a person must "
        f"approve it: {rollout}; or add an anchor to the next training, or set spec.model.track.promotion"
    )


def phase_of(state: VersionState) -> Phase:
    """The phase."""
    if state.is_rejected or (state.pinned and state.passed_over is not None):
        return Phase.DEGRADED
    if state.is_settled:
        return Phase.HEALTHY
    if state.stable is not None and state.stable.digest == state.current.digest and not state.is_available:
        return Phase.DEGRADED
    return Phase.PROGRESSING


def begin(observed: ModelDeploymentObserved) -> StatusBuilder[ModelDeploymentStatus]:
    """The status builder of a pass, with the fields that follow from the object's name."""
    metadata = observed.resource.metadata
    builder = StatusBuilder(observed.resource.status, generation=metadata.generation, time=observed.now)
    builder.update(
        selector=",".join(f"{key}={value}" for key, value in owner_label(observed.resource).items()),
        url=f"http://{names.serving_service(metadata.name)}.{metadata.namespace}.svc",
    )
    return builder


def _ready(state: VersionState) -> tuple[ConditionStatus, str, str]:
    if state.pinned and state.passed_over is not None and state.passed_over != state.current.digest:
        text = f"spec.model.pinned: {state.why_passed_over}; {state.current.version} is served instead"
        return "False", Reason.VERSION_REJECTED, text
    if state.is_rejected:
        return "False", Reason.ALL_VERSIONS_REJECTED, describe(state)
    if state.rollout.state == RolloutState.EMPTY:
        return "True", Reason.SCALED, "spec.replicas is 0"
    loaded, reason, message = _model_loaded(state)
    if loaded != "True":
        return "False", reason, message
    if not state.is_available:
        return "False", Reason.PODS_NOT_READY, f"{state.pods} ready"
    if state.is_settled:
        return "True", Reason.ROLLED_OUT, f"every pod serves {state.current.version}"
    return "True", Reason.ROLLING_OUT, f"{state.current.version} is being rolled out; the service stays available"


def _model_loaded(state: VersionState) -> tuple[ConditionStatus, str, str]:
    """Whether the served version was loaded; a failing new version does not change that."""
    served = state.current if state.rollout.state == RolloutState.LIVE else state.stable
    if served is not None and (state.is_settled or state.is_available or not state.problem):
        return "True", Reason.MODEL_LOADED, f"the pods verified and loaded {served.version}"
    if state.problem:
        return "False", Reason.MODEL_NOT_LOADED, state.problem
    return "Unknown", Reason.ROLLING_OUT, f"no pod has loaded {state.current.version} yet"


def _progressing(state: VersionState) -> tuple[ConditionStatus, str, str]:
    if state.is_rejected:
        return "False", Reason.ALL_VERSIONS_REJECTED, describe(state)
    if not state.is_settled:
        if state.rollout.state == RolloutState.STUCK:
            text = f"{state.current.version} made no progress within spec.progressDeadlineSeconds"
            return "False", Reason.PODS_NOT_READY, f"{text}; {state.problem}" if state.problem else text
        text = f"pods of {state.current.version} are being started"
        return "True", Reason.ROLLING_OUT, f"{text}; {state.problem}" if state.problem else text
    if state.candidate is not None:
        return "False", Reason.AWAITING_PROMOTION, _pending_version(state)
    if state.passed_over is not None:
        return "False", Reason.VERSION_REJECTED, f"{state.why_passed_over}; {_pending_version(state)}"
    return "False", Reason.ROLLED_OUT, f"every pod serves {state.current.version}"


def _pending_version(state: VersionState) -> str:
    """The version that waits for promotion, or the rejected one that is passed over; empty if there is neither."""
    if state.candidate is not None:
        return why_waiting(state.candidate, is_manual=state.promotion_is_set)
    if state.passed_over is not None and not state.is_rejected:
        return (
            f"version {short_version(state.passed_over)} was rejected: annotate this object with "
            "perennate.dev/retry-requested-at=<time> to retry it"
        )
    return ""
