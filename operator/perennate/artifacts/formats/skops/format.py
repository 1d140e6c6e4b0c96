"""The skops format behind the `ModelFormat` protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perennate.artifacts.formats.classes import TrainableClasses
from perennate.artifacts.formats.skops import allowlist, archive, loading, predicting, saving, writer
from perennate.artifacts.formats.skops.allowlist.unserved import why_unserved

if TYPE_CHECKING:
    from perennate.artifacts.formats.protocol import Estimator, Prediction

FILE_NAME: Final = "model.skops"


class SkopsFormat:
    """scikit-learn estimators of a fixed list, stored by skops."""

    name = "skops"
    file_name = FILE_NAME
    library = "scikit-learn"
    platform = "sklearn"
    save_hint = f"save the fitted estimator as {FILE_NAME} with skops.io.dump"
    trainable = TrainableClasses(allowlist.CLASSIFIERS, allowlist.REGRESSORS, allowlist.TRANSFORMERS, why_unserved)

    def save(self, estimator: Estimator) -> bytes:
        """The skops file of a fitted estimator."""
        return saving.save_estimator(estimator)

    def audit(self, content: bytes) -> None:
        """Check the zip archive and every type that its schema names."""
        loading.audit_file(content)

    def versions(self, content: bytes) -> dict[str, str]:
        """Versions of scikit-learn and skops that wrote the file, as it states them."""
        return writer.written_versions(archive.read_schema(content))

    def load(self, content: bytes) -> Estimator:
        """Audit a skops file and build its estimator."""
        return loading.load_estimator(content)

    def predict(self, estimator: Estimator, features: Any) -> Prediction:
        """Predict rows."""
        return predicting.predict(estimator, features)

    def class_name(self, estimator: Estimator) -> str:
        """Public import path of the estimator's class; of the last step for a pipeline."""
        # Not recursive: the name is part of the manifest, and so of the version's digest.
        last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
        return allowlist.public_name(f"{type(last).__module__}.{type(last).__name__}")
