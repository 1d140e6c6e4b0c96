"""The publish stage: evaluate the model on the hold-out rows and publish the version if it passes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perennate.api.documents.canonical import short_version
from perennate.api.documents.model_manifest import version_uri
from perennate.api.documents.stage_result import GateOutcome, PublishedVersion, StageResult
from perennate.artifacts import ModelStore
from perennate.gates import too_few
from perennate.lineage import fingerprint, provenance
from perennate.trainer.errors import GateFailedError, GateInconclusiveError
from perennate.trainer.evaluation.anchor import evaluate_anchor
from perennate.trainer.evaluation.compatibility import Compatibility, check_compatibility
from perennate.trainer.evaluation.evaluation import ModelEvaluation, evaluate_model
from perennate.trainer.progress import report
from perennate.trainer.version.build import make_version, predict_holdout_rows, questions_of
from perennate.trainer.version.serving_process import check_served
from perennate.trainer.version.trained import read_trained

if TYPE_CHECKING:
    from perennate.api.documents.run_record import RunRecord
    from perennate.api.documents.run_request import RunRequest
    from perennate.trainer.paths import RunPaths
    from perennate.trainer.version.trained import Trained


def publish(request: RunRequest, paths: RunPaths) -> StageResult:
    """Evaluate the model and publish it as a version. An existing version is never replaced.

    Raises:
        BadConfigurationError: the model is missing, refused by the audit, or cannot be evaluated.
        GateFailedError: a gate or the comparison with the champion failed. Nothing is published.
        GateInconclusiveError: there are too few hold-out rows for them. Nothing is published.
        ArtifactError: the store cannot be written.
    """
    trained = read_trained(request, paths)
    store = ModelStore(paths.store, request.namespace)
    predictions = predict_holdout_rows(trained)
    report("publish", step="predicted", rows=len(predictions.truth), task=predictions.task)
    evaluation = evaluate_model(trained.record, predictions, trained.holdout, store)
    anchor = evaluate_anchor(trained.record, trained.estimator, trained.anchor, store, known=trained.known)
    evaluation = replace(evaluation, gates=(*evaluation.gates, *anchor))
    result = _result(trained, evaluation)
    report("publish", step="evaluated", **{metric.value: value for metric, value in evaluation.values.items()})
    schema = check_compatibility(trained.record, trained.estimator, trained.train, trained.holdout, store)
    _check_gates(trained.record, evaluation, schema, result)
    manifest, files = make_version(trained, predictions, evaluation, schema)
    records, expected = questions_of(trained)
    # The other process needs memory for the model as well.
    del trained, predictions
    check_served(manifest, files, records, expected)
    digest = store.publish(manifest, files)
    report("publish", step="published", version=short_version(digest), files=len(files) + 1)
    return result.model_copy(
        update={
            "warnings": schema.warnings or None,
            "model_version": PublishedVersion(
                name=manifest.model,
                version=short_version(digest),
                uri=version_uri(manifest.model, digest),
                digest=digest,
                profile_digest=manifest.profile_digest,
            ),
        }
    )


def _check_gates(record: RunRecord, evaluation: ModelEvaluation, schema: Compatibility, result: StageResult) -> None:
    """End the stage unless every gate, the comparison with the champion and that of the schemas passed."""
    if failed := (*evaluation.reasons(GateOutcome.FAILED), *schema.failures):
        raise GateFailedError(f"nothing is published: {'; '.join(failed)}", result=result)
    if inconclusive := evaluation.reasons(GateOutcome.INCONCLUSIVE):
        raise GateInconclusiveError(
            f"nothing is published: {'; '.join(inconclusive)}{_why_inconclusive(record)}", result=result
        )


def _why_inconclusive(record: RunRecord) -> str:
    """What to do about too few hold-out rows; empty if they are enough, and only the anchor is inconclusive."""
    if not too_few(record.holdout_rows, record.spec.evaluation.min_samples):
        return ""
    return (
        f": {record.holdout_rows} hold-out rows are fewer than spec.evaluation.minSamples, "
        f"{record.spec.evaluation.min_samples}; train on more rows, hold out more (spec.data.holdout.fraction), or "
        "lower minSamples"
    )


def _result(trained: Trained, evaluation: ModelEvaluation) -> StageResult:
    gates = tuple(gate.to_result() for gate in evaluation.gates)
    return StageResult(
        stage="publish",
        fingerprint=fingerprint(trained.record),
        metrics=evaluation.metrics,
        gates=gates,
        champion=evaluation.champion.to_result() if evaluation.champion else None,
        provenance=provenance(trained.record, trained.environment),
    )
