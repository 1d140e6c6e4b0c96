"""A second model format for tests: k nearest neighbours as JSON, with its own digest."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from sklearn.neighbors import KNeighborsClassifier

from perennate.api.documents.canonical import canonical_json, digest_document
from perennate.artifacts import ArtifactRefusedError, Prediction
from perennate.artifacts.formats.classes import TrainableClasses

CLASS = "sklearn.neighbors.KNeighborsClassifier"
"""A class that the skops format does not save."""


class NeighboursFormat:
    """Stores the training rows of a nearest-neighbour classifier."""

    name = "neighbours"
    file_name = "model.neighbours.json"
    library = "scikit-learn"
    platform = "sklearn"
    save_hint = "save the neighbours as model.neighbours.json"
    trainable = TrainableClasses({"sklearn.neighbors": frozenset({"KNeighborsClassifier"})}, {}, {})

    def save(self, estimator: Any) -> bytes:
        """The training rows as JSON, with the digest of the rest."""
        if not isinstance(estimator, KNeighborsClassifier):
            raise TypeError(f"a {type(estimator).__name__} has no neighbours")
        rows = {
            "columns": list(estimator.feature_names_in_),
            "features": estimator._fit_X.tolist(),
            "target": estimator.classes_[estimator._y].tolist(),
            "neighbors": estimator.n_neighbors,
        }
        return canonical_json({"digest": digest_document(rows), "rows": rows})

    def audit(self, content: bytes) -> None:
        """Check the digest."""
        try:
            document = json.loads(content)
            if document["digest"] == digest_document(document["rows"]):
                return
        except (ValueError, TypeError, KeyError) as error:
            raise ArtifactRefusedError(f"the model file is damaged: {error}") from error
        raise ArtifactRefusedError("the model file has another digest")

    def versions(self, content: bytes) -> dict[str, str]:
        """The file states no version; this process wrote it."""
        del content
        return {"scikit-learn": version("scikit-learn")}

    def load(self, content: bytes) -> Any:
        """Fit the stored rows."""
        self.audit(content)
        rows = json.loads(content)["rows"]
        features = pd.DataFrame(np.array(rows["features"], dtype=np.float64), columns=rows["columns"])
        return KNeighborsClassifier(rows["neighbors"]).fit(features, np.array(rows["target"]))

    def predict(self, estimator: Any, features: Any) -> Prediction:
        """The classes, and the shares of the neighbours that have them."""
        return Prediction(estimator.predict(features), estimator.predict_proba(features))

    def class_name(self, estimator: Any) -> str:
        """The only class of the format."""
        del estimator
        return CLASS
