"""The publish stage: evaluate the model on the hold-out rows and publish the version if it passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perennate.api.documents.canonical import short_version
from perennate.api.documents.model_manifest import (
    CARD_FILE,
    PROFILE_FILE,
    ModelManifest,
    file_entries,
    version_uri,
)
from perennate.api.documents.run_spec import RecordedSpec
from perennate.api.documents.stage_result import GateOutcome, PublishedVersion, StageResult
from perennate.api.feature_types import FeatureType, type_of_labels
from perennate.artifacts import FORMATS, ModelFormat, ModelStore
from perennate.lineage import fingerprint, provenance
from perennate.trainer.data.frames import frame, labels, read_rows
from perennate.trainer.environment import read_environment
from perennate.trainer.errors import BadConfigurationError, GateFailedError, GateInconclusiveError, refusing
from perennate.trainer.evaluation.card import model_card
from perennate.trainer.evaluation.compatibility import Compatibility, check_compatibility, own_schema
from perennate.trainer.evaluation.convergence import check_converged
from perennate.trainer.evaluation.evaluation import (
    ModelEvaluation,
    check_available,
    evaluate_model,
    wanted_metrics,
)
from perennate.trainer.evaluation.predictions import (
    HoldoutPredictions,
    compute_metrics,
    predict_holdout,
)
from perennate.trainer.evaluation.profile import make_profile
from perennate.trainer.model.fitting import words_of
from perennate.trainer.model.importance import importance_of
from perennate.trainer.progress import report
from perennate.trainer.rehearsal.answers import records_of
from perennate.trainer.rehearsal.rows import choose_rows
from perennate.trainer.rehearsal.serving_process import check_served
from perennate.trainer.request import read_record
from perennate.trainer.run_warnings.files import read_warnings

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from perennate.api.documents.run_record import RunRecord
    from perennate.api.documents.run_request import ChampionRequest, RunRequest
    from perennate.api.documents.stage_result import RunWarning
    from perennate.artifacts import Prediction
    from perennate.trainer.paths import RunPaths


@dataclass(frozen=True)
class Trained:
    """Output of the earlier stages, verified."""

    record: RunRecord
    format: ModelFormat
    content: bytes
    """The model file."""
    estimator: Any
    environment: dict[str, str]
    """Versions of what trained the model, by name."""
    train: pa.Table
    holdout: pa.Table
    warnings: tuple[RunWarning, ...] = ()
    """Of the earlier stages."""

    @property
    def known(self) -> frozenset[str]:
        """Words of the spec and the schema, which messages may repeat."""
        estimator = self.record.spec.trainer.estimator
        return frozenset() if estimator is None else frozenset(words_of(estimator))


QUESTIONS: Final = 20
"""Training rows, at least, that a version must answer before it is published."""


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
    predictions = _predict_holdout(trained)
    report("publish", step="predicted", rows=len(predictions.truth), task=predictions.task)
    evaluation = evaluate_model(trained.record, predictions, trained.holdout, store)
    result = _result(trained, evaluation)
    report("publish", step="evaluated", **{metric.value: value for metric, value in evaluation.values.items()})
    schema = check_compatibility(trained.record, trained.estimator, trained.train, trained.holdout, store)
    _check_gates(trained.record, evaluation, schema, result)
    manifest, files = make_version(trained, predictions, evaluation, schema)
    records, expected = _questions(trained)
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
            f"nothing is published: {'; '.join(inconclusive)}: {record.holdout_rows} hold-out rows are fewer than "
            f"spec.evaluation.minSamples, {record.spec.evaluation.min_samples}; train on more rows, hold out more "
            "(spec.data.holdout.fraction), or lower minSamples",
            result=result,
        )


def read_trained(request: RunRequest, paths: RunPaths) -> Trained:
    """Read record, model and rows that the earlier stages wrote.

    Raises:
        BadConfigurationError: the model is missing or refused, or the train stage changed other files.
    """
    record = read_record(paths.record)
    if record.spec != RecordedSpec.of(request.spec) or (record.champion, record.served) != _requested(request):
        raise BadConfigurationError(f"{paths.record} belongs to another run; only the prepare stage may write it")
    model_format, content = _read_model(paths.output)
    with refusing("spec.trainer"):
        estimator = model_format.load(content)
    return Trained(
        record=record,
        format=model_format,
        content=content,
        estimator=estimator,
        environment=read_environment(paths, model_format.versions(content)),
        train=read_rows(paths.train_rows, record.train_digest),
        holdout=read_rows(paths.holdout_rows, record.holdout_digest),
        warnings=_read_warnings(record, paths),
    )


def _requested(request: RunRequest) -> tuple[ChampionRequest | None, ChampionRequest | None]:
    """The champion and the version whose pods captured the rows, as the record has them."""
    return request.champion, None if request.captured is None else request.captured.version


def _read_warnings(record: RunRecord, paths: RunPaths) -> tuple[RunWarning, ...]:
    """The warnings of the earlier stages; a user's container has none."""
    data = read_warnings(paths.data_warnings)
    return data if record.spec.trainer.estimator is None else (*data, *read_warnings(paths.training_warnings))


def _read_model(folder: Path) -> tuple[ModelFormat, bytes]:
    """The one model file in the output folder, and its format.

    Raises:
        BadConfigurationError: there is none, or more than one.
    """
    found = [(item, path) for item in FORMATS if (path := folder / item.file_name).is_file()]
    if len(found) > 1:
        names = ", ".join(path.name for _, path in found)
        raise BadConfigurationError(f"spec.trainer: {folder} holds several model files ({names}); leave one")
    if not found:
        hints = ", or ".join(item.save_hint for item in FORMATS)
        raise BadConfigurationError(f"spec.trainer.container: it exited with 0 but left no model in {folder}; {hints}")
    return found[0][0], found[0][1].read_bytes()


def try_version(trained: Trained) -> tuple[ModelManifest, dict[str, bytes]]:
    """Manifest and files of the version that a model would become, without gates and champion.

    Raises:
        BadConfigurationError: the model cannot be evaluated as the spec wants.
    """
    predictions = _predict_holdout(trained)
    spec = trained.record.spec.evaluation
    values = compute_metrics(predictions, wanted_metrics(spec, predictions))
    check_available(spec, predictions, values)
    schema = own_schema(trained.record, trained.train, trained.holdout)
    return make_version(trained, predictions, ModelEvaluation(values, gates=(), champion=None), schema)


def make_version(
    trained: Trained, predictions: HoldoutPredictions, evaluation: ModelEvaluation, schema: Compatibility
) -> tuple[ModelManifest, dict[str, bytes]]:
    """Manifest and files of the version."""
    record = trained.record
    importance = importance_of(trained.estimator, record.features)
    features = schema.features
    text = [feature.name for feature in features if feature.type == "string"]
    train = frame(trained.train, record.features)
    profile = make_profile(train, predictions, evaluation.values, importance, text=text)
    estimator = trained.format.class_name(trained.estimator)
    card = model_card(
        record,
        evaluation,
        profile,
        estimator=estimator,
        positive_class=predictions.positive_class,
        features=features,
        fingerprint=fingerprint(record),
        environment=trained.environment,
        warnings=(*trained.warnings, *schema.warnings),
    )
    files = {trained.format.file_name: trained.content, PROFILE_FILE: profile.to_bytes(), CARD_FILE: card.encode()}
    manifest = ModelManifest(
        model=record.model,
        format=trained.format.name,
        task=predictions.task,
        estimator=estimator,
        features=features,
        target=record.target,
        classes=predictions.classes,
        positive_class=predictions.positive_class,
        class_type=_class_type(trained.estimator),
        files=file_entries(files),
        profile_digest=profile.digest,
        fingerprint=fingerprint(record),
        metrics=evaluation.metrics,
        environment=trained.environment,
    )
    return manifest, files


def _questions(trained: Trained) -> tuple[list[dict[str, Any]], Prediction]:
    """Some training rows as records, and the predictions of the trained model for them."""
    record = trained.record
    rows = choose_rows(
        trained.train,
        record.features,
        record.target,
        classes=record.task == "classification",
        seed=record.seed,
        rows=QUESTIONS,
    )
    features = frame(trained.train.take(rows), record.features)
    with refusing("spec.trainer: the model cannot predict rows that it was trained on", features):
        return records_of(features), trained.format.predict(trained.estimator, features)


def _predict_holdout(trained: Trained) -> HoldoutPredictions:
    """Predict the hold-out rows. The model of a user's container may not accept them."""
    record = trained.record
    features = frame(trained.holdout, record.features)
    with refusing("spec.trainer: the model cannot predict the hold-out rows", features, known=trained.known):
        truth, positive = labels(trained.holdout, record.target), record.spec.data.positive_class
        predictions = predict_holdout(trained.estimator, features, truth, positive=positive)
        check_converged(predictions, labels(trained.train, record.target))
    if predictions.task != record.task:
        raise BadConfigurationError(
            f"spec.trainer: the model does {predictions.task}, but the target {record.target!r} is one for "
            f"{record.task}"
        )
    return predictions


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


def _class_type(estimator: Any) -> FeatureType:
    """JSON type of the classes. `string` for a regressor."""
    known = getattr(estimator, "classes_", None)
    return "string" if known is None else type_of_labels(known.dtype.kind)
