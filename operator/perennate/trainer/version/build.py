"""From a trained model to the files of a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perennate.api.documents.model_manifest import CARD_FILE, PROFILE_FILE, ModelManifest, file_entries
from perennate.api.feature_types import FeatureType, type_of_labels
from perennate.lineage import fingerprint
from perennate.trainer.data.frames import frame, labels
from perennate.trainer.errors import BadConfigurationError, refusing
from perennate.trainer.evaluation.card import model_card
from perennate.trainer.evaluation.compatibility import Compatibility, own_schema
from perennate.trainer.evaluation.convergence import check_converged
from perennate.trainer.evaluation.evaluation import ModelEvaluation, check_available, wanted_metrics
from perennate.trainer.evaluation.predictions import HoldoutPredictions, compute_metrics, predict_holdout
from perennate.trainer.evaluation.profile import make_profile
from perennate.trainer.model.importance import importance_of
from perennate.trainer.version.answers import records_of
from perennate.trainer.version.rows import choose_rows

if TYPE_CHECKING:
    from perennate.artifacts import Prediction
    from perennate.trainer.version.trained import Trained

QUESTIONS: Final = 20
"""Training rows, at least, that a version must answer before it is published."""


def try_version(trained: Trained) -> tuple[ModelManifest, dict[str, bytes]]:
    """Manifest and files of the version that a model would become, without gates and champion.

    Raises:
        BadConfigurationError: the model cannot be evaluated as the spec wants.
    """
    predictions = predict_holdout_rows(trained)
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


def questions_of(trained: Trained) -> tuple[list[dict[str, Any]], Prediction]:
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


def predict_holdout_rows(trained: Trained) -> HoldoutPredictions:
    """Predict the hold-out rows.

    Raises:
        BadConfigurationError: the model, which may be of a user's container, does not accept them, has another task, or
            diverged.
    """
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


def _class_type(estimator: Any) -> FeatureType:
    """JSON type of the classes. `string` for a regressor."""
    known = getattr(estimator, "classes_", None)
    return "string" if known is None else type_of_labels(known.dtype.kind)
