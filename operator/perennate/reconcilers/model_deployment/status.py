"""The status of a ModelDeployment: conditions and sentences from what the rollout shows."""

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
class Finding:
    """What a pass found about the version that is to be served.

    Attributes:
        current: the version that pods shall serve.
        stable: the last version that every pod served.
        candidate: a newer version that waits for a person.
        passed_over: digest of the version that would be served had it not been rejected.
        rollout: how far the Deployment is.
        trouble: why a pod of the current version is not ready; empty if nothing is known.
        rejected: versions that are not tried again.
        pinned: whether the spec names the version.
    """

    current: Revision
    stable: Revision | None
    candidate: Revision | None
    passed_over: str | None
    rollout: Rollout
    trouble: str
    rejected: tuple[RejectedVersion, ...]
    pinned: bool

    @property
    def is_settled(self) -> bool:
        """Whether the rollout has arrived."""
        return self.rollout.state in {RolloutState.LIVE, RolloutState.EMPTY}

    @property
    def is_given_up(self) -> bool:
        """Whether the version itself was rejected and there is none to go back to."""
        return not self.is_settled and any(entry.digest == self.current.digest for entry in self.rejected)

    @property
    def why_passed_over(self) -> str:
        """What was said of the version that was passed over when it was given up."""
        found = (entry.message for entry in self.rejected if entry.digest == self.passed_over)
        return next(found, "") or f"version {short_version(self.passed_over or '')} was given up"

    @property
    def is_available(self) -> bool:
        """Whether as many pods answer as are asked for, of whatever version."""
        return self.rollout.available >= self.rollout.wanted

    @property
    def pods(self) -> str:
        """`2 of 3 pods`."""
        noun = "pod" if self.rollout.wanted == 1 else "pods"
        return f"{self.rollout.available} of {self.rollout.wanted} {noun}"


def settle_conditions(builder: StatusBuilder[Any], finding: Finding) -> None:
    """Available, ModelLoaded and Progressing, and Ready as their sum."""
    if finding.is_available:
        builder.set(ConditionType.AVAILABLE, "True", Reason.PODS_READY, "as many pods are ready as asked for")
    else:
        builder.set(ConditionType.AVAILABLE, "False", Reason.PODS_NOT_READY, f"{finding.pods} ready")
    builder.set(ConditionType.MODEL_LOADED, *_model_loaded(finding))
    builder.set(ConditionType.PROGRESSING, *_progressing(finding))
    builder.set(ConditionType.READY, *_ready(finding))


def describe(finding: Finding) -> str:
    """The deployment in one sentence."""
    current, stable = finding.current.version, finding.stable
    if finding.is_given_up:
        text = f"version {current} did not become ready and there is none to go back to"
    elif finding.rollout.state == RolloutState.EMPTY:
        text = f"scaled to 0; version {current} would be served"
    elif finding.rollout.state == RolloutState.LIVE:
        text = f"serving {current} with {finding.pods}"
    else:
        done = f"{min(finding.rollout.updated, finding.rollout.wanted)} of {finding.rollout.wanted} pods"
        keeps = f"; {stable.version} keeps answering" if stable is not None and stable.version != current else ""
        text = f"rolling out {current} ({done}){keeps}"
    return "; ".join(part for part in (text, finding.trouble, _aside(finding)) if part)


def phase_of(finding: Finding) -> Phase:
    """The deployment in one word."""
    if finding.is_given_up or (finding.pinned and finding.passed_over is not None):
        return Phase.DEGRADED
    if finding.is_settled:
        return Phase.HEALTHY
    if finding.stable is not None and finding.stable.digest == finding.current.digest and not finding.is_available:
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


def _ready(finding: Finding) -> tuple[ConditionStatus, str, str]:
    if finding.pinned and finding.passed_over is not None and finding.passed_over != finding.current.digest:
        text = f"spec.model.pinned: {finding.why_passed_over}; {finding.current.version} is served instead"
        return "False", Reason.VERSION_REJECTED, text
    if finding.is_given_up:
        return "False", Reason.ALL_VERSIONS_REJECTED, describe(finding)
    if finding.rollout.state == RolloutState.EMPTY:
        return "True", Reason.SCALED, "no pod is asked for"
    loaded, reason, message = _model_loaded(finding)
    if loaded != "True":
        return "False", reason, message
    if not finding.is_available:
        return "False", Reason.PODS_NOT_READY, f"{finding.pods} ready"
    if finding.is_settled:
        return "True", Reason.ROLLED_OUT, f"every pod serves {finding.current.version}"
    return "True", Reason.ROLLING_OUT, f"{finding.current.version} is being rolled out without a pause in service"


def _model_loaded(finding: Finding) -> tuple[ConditionStatus, str, str]:
    """Whether what is served was loaded; a newer version that fails does not make the one in service less loaded."""
    served = finding.current if finding.rollout.state == RolloutState.LIVE else finding.stable
    if served is not None and (finding.is_settled or finding.is_available or not finding.trouble):
        return "True", Reason.MODEL_LOADED, f"the pods loaded {served.version}, its digest verified"
    if finding.trouble:
        return "False", Reason.MODEL_NOT_LOADED, finding.trouble
    return "Unknown", Reason.ROLLING_OUT, f"no pod has loaded {finding.current.version} yet"


def _progressing(finding: Finding) -> tuple[ConditionStatus, str, str]:
    if finding.is_given_up:
        return "False", Reason.ALL_VERSIONS_REJECTED, describe(finding)
    if not finding.is_settled:
        if finding.rollout.state == RolloutState.STUCK:
            text = f"{finding.current.version} made no progress in spec.progressDeadlineSeconds"
            return "False", Reason.PODS_NOT_READY, f"{text}; {finding.trouble}" if finding.trouble else text
        text = f"pods of {finding.current.version} are being started"
        return "True", Reason.ROLLING_OUT, f"{text}; {finding.trouble}" if finding.trouble else text
    if finding.candidate is not None:
        return "False", Reason.AWAITING_PROMOTION, _aside(finding)
    if finding.passed_over is not None:
        return "False", Reason.VERSION_REJECTED, f"{finding.why_passed_over}; {_aside(finding)}"
    return "False", Reason.ROLLED_OUT, f"every pod serves {finding.current.version}"


def _aside(finding: Finding) -> str:
    """What else there is to know: a version that waits, or one that was given up."""
    if finding.candidate is not None:
        return (
            f"version {finding.candidate.version} waits for a person: annotate this object with "
            "perennate.dev/promote-requested-at=<time> to roll it out"
        )
    if finding.passed_over is not None and not finding.is_given_up:
        return (
            f"version {short_version(finding.passed_over)} was rejected: annotate this object with "
            "perennate.dev/retry-requested-at=<time> to try it again"
        )
    return ""
