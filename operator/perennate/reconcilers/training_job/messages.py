"""Messages about a run, for the summary and conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.v1alpha1.training_job import Reason
from perennate.api.wellknown import STAGES
from perennate.reconcilers.wording import pluralize

if TYPE_CHECKING:
    from perennate.api.documents.stage_result import StageResult
    from perennate.api.v1alpha1.training_job import StageStatus
    from perennate.reconcilers.training_job.run_state import InProgress


def describe_progress(stages: tuple[StageStatus, ...], progress: InProgress) -> tuple[Reason, str]:
    """Reason and message of a run that has not ended."""
    running = next((stage.name for stage in stages if stage.state == "Running"), None)
    if running is not None:
        reason = Reason.STAGE_RUNNING
        text = f"stage {running} is running ({STAGES.index(running) + 1} of {len(STAGES)})"
    else:
        reason, text = Reason.WAITING, "waiting for the pod"
    if progress.problem:
        text = f"{text}; {progress.problem}"
    if progress.failed_pods and progress.last_failure:
        text = f"{text}; {pluralize(progress.failed_pods, 'pod')} failed before: {progress.last_failure}"
    return reason, text


def describe_success(result: StageResult, *, warnings: int) -> str:
    """`published 0123456789ab: auc 0.86, accuracy 0.79 (2 warnings)`."""
    version = result.model_version.version if result.model_version is not None else ""
    metrics = ", ".join(f"{metric.name.value} {metric.value:.4g}" for metric in result.metrics[:3])
    text = f"published {version}: {metrics}" if metrics else f"published {version}"
    return f"{text} ({pluralize(warnings, 'warning')})" if warnings else text


def describe_gates(result: StageResult) -> str:
    """How many gates passed, and the comparison with the champion."""
    gates = pluralize(len(result.gates), "gate") + " passed" if result.gates else "no gates set"
    champion = result.champion
    if champion is None:
        return gates
    if champion.champion is None or champion.challenger is None:
        return f"{gates}; there was no champion"
    metric = champion.metric.value
    return f"{gates}; {metric} {champion.challenger:.4g} against {champion.champion:.4g} of the champion"
