"""The model in memory, loaded from verified bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from perennate.api.documents.canonical import short_version
from perennate.artifacts import ArtifactUnusableError, LoadedVersion, load_version
from perennate.drift import Profile, ProfileError, class_text
from perennate.serving.model.adapters import choose_adapter
from perennate.serving.model.diagnosis import cause_of
from perennate.serving.model.sample import sample_batch, without
from perennate.serving.model.schema import InputSchema

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from perennate.api.documents.model_manifest import FeatureSchema, ModelManifest
    from perennate.serving.model.adapters import InputAdapter
    from perennate.serving.model.schema import Batch

SAMPLE_ROWS: Final = 3


@dataclass(frozen=True, eq=False)
class BatchPrediction:
    """The predictions for a batch.

    Args:
        predictions: class or number of each row, (rows,).
        probabilities: probability of each class, (rows, classes); None if the model has none.
        scores: the score of each row as the profile defines it, (rows,); None if it defines none.
    """

    predictions: npt.NDArray[Any]
    probabilities: npt.NDArray[np.float64] | None
    scores: npt.NDArray[np.float64] | None


class ServedModel:
    """One model version, ready to predict.

    Args:
        version: the loaded version.
        digest: its digest.
        strict: whether a record with a field that is not a feature is refused.

    Raises:
        ArtifactUnusableError: manifest, profile and estimator do not match, or the estimator cannot predict rows like
            those it was trained on.
    """

    def __init__(self, version: LoadedVersion, digest: str, *, strict: bool = False) -> None:
        self.manifest: ModelManifest = version.manifest
        self.digest = digest
        self.prefix = short_version(digest)
        self.profile_bytes = version.profile
        self.profile = _read_profile(version.profile)
        self.classes: list[Any] = list(getattr(version.estimator, "classes_", np.array([])).tolist())
        _check_agreement(self.manifest, self.profile, version.estimator, self.classes)
        self._positive = self.manifest.classes.index(self.profile.positive) if self.profile.positive else 0
        self._format = version.format
        self.platform = version.format.platform
        self._estimator = version.estimator
        self.has_probabilities = self.manifest.task == "classification" and hasattr(version.estimator, "predict_proba")
        schema = InputSchema(self.manifest.features)
        sample = sample_batch(schema, self.profile, rows=SAMPLE_ROWS)
        booleans = frozenset(feature.name for feature in self._nullable() if feature.type == "boolean")
        self._adapt: InputAdapter = _choose_adapter(version.estimator, sample, booleans)
        self.schema = InputSchema(self.manifest.features, self._find_optional(schema, sample), strict=strict)

    @classmethod
    def load(cls, folder: Path, digest: str, *, strict: bool = False) -> ServedModel:
        """Load the version in a folder from the bytes whose digests were checked.

        Raises:
            ArtifactUnusableError: the version is corrupt or cannot be served.
        """
        return cls(load_version(folder, digest), digest, strict=strict)

    def predict(self, batch: Batch) -> BatchPrediction:
        """Predict all rows of a batch. Thread-safe."""
        found = self._format.predict(self._estimator, self._adapt(batch))
        probabilities = found.probabilities if self.has_probabilities else None
        return BatchPrediction(found.values, probabilities, self._score(found.values, probabilities))

    def sample(self, rows: int) -> Batch:
        """Typical rows, for the warm-up and the example."""
        return sample_batch(self.schema, self.profile, rows=rows)

    def _score(
        self, predictions: npt.NDArray[Any], probabilities: npt.NDArray[np.float64] | None
    ) -> npt.NDArray[np.float64] | None:
        if self.profile.score is None:
            return None
        if self.profile.score.kind == "prediction":
            return predictions.astype(np.float64)
        if probabilities is None:
            return None
        if self.profile.score.kind != "probability":
            return np.asarray(probabilities.max(axis=1))
        return np.asarray(probabilities[:, self._positive])

    def _find_optional(self, schema: InputSchema, sample: Batch) -> list[str]:
        """The features that may be missing: the manifest says so, and the model predicts without them.

        Many models predict something for a value that was never missing, such as a forest, so both must hold. The
        manifest of an older release does not say it; then values were missing in training.
        """
        return [feature.name for feature in self._nullable() if self._may_be_missing(feature, schema, sample)]

    def _nullable(self) -> list[FeatureSchema]:
        """The features that may be missing by the manifest, or else by the training rows."""
        missing = {feature.name for feature in self.profile.features if feature.missing}
        return [
            feature
            for feature in self.manifest.features
            if (feature.name in missing if feature.nullable is None else feature.nullable)
        ]

    def _may_be_missing(self, feature: FeatureSchema, schema: InputSchema, sample: Batch) -> bool:
        try:
            self.predict(without(sample, feature.name, schema))
        # scikit-learn raises ValueError, TypeError and others; all mean that the value is required.
        except Exception:
            return False
        return True


def _choose_adapter(estimator: Any, sample: Batch, nullable_booleans: frozenset[str]) -> InputAdapter:
    try:
        return choose_adapter(estimator, sample, nullable_booleans=nullable_booleans)
    except Exception as error:
        raise ArtifactUnusableError(
            f"the model cannot predict rows like those it was trained on: {cause_of(error)}"
        ) from error


def _read_profile(content: bytes) -> Profile:
    try:
        return Profile.from_bytes(content)
    except ProfileError as error:
        raise ArtifactUnusableError(f"profile.json: {error}") from error


def _check_agreement(manifest: ModelManifest, profile: Profile, estimator: Any, classes: list[Any]) -> None:
    """Refuse a version whose manifest, profile and model have different columns or classes."""
    columns, profiled = [item.name for item in manifest.features], [item.name for item in profile.features]
    if columns != profiled or len(columns) != estimator.n_features_in_:
        raise ArtifactUnusableError(
            f"the manifest has the features {columns}, the profile {profiled} and the model {estimator.n_features_in_} "
            "columns: they do not match; publish the version again"
        )
    if set(profile.classes) != set(manifest.classes):
        raise ArtifactUnusableError(
            f"the manifest has the classes {list(manifest.classes)} and the profile {list(profile.classes)}; publish "
            "the version again"
        )
    if manifest.task == "classification" and [class_text(value) for value in classes] != list(manifest.classes):
        raise ArtifactUnusableError(
            f"the manifest has the classes {list(manifest.classes)} and the model {classes}; publish the version again"
        )
