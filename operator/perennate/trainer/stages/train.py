"""The train stage: fit the estimator on the training rows. It has no access to the request and the store."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np

from perennate.api.documents.stage_result import StageResult
from perennate.artifacts import FORMATS, ModelFormat
from perennate.lineage import fingerprint
from perennate.trainer.data.frames import frame, labels, read_rows
from perennate.trainer.errors import BadConfigurationError
from perennate.trainer.model.class_weight import apply_class_weight
from perennate.trainer.model.estimator import FIELD, build_estimator
from perennate.trainer.progress import report
from perennate.trainer.request import read_record
from perennate.trainer.run_warnings.files import write_warnings
from perennate.trainer.run_warnings.fitting import convergence_warnings

if TYPE_CHECKING:
    import pandas as pd

    from perennate.trainer.paths import RunPaths


def train(paths: RunPaths) -> StageResult:
    """Write the model file into the output folder.

    Raises:
        BadConfigurationError: the estimator cannot be built, fitted or saved.
    """
    record = read_record(paths.record)
    if record.spec.trainer.estimator is None:
        raise BadConfigurationError(
            "spec.trainer.container: this stage runs estimators; the container runs in its place"
        )
    # Estimators have a random_state of their own; the global generators are seeded for all other code.
    random.seed(record.seed)
    np.random.seed(record.seed)  # noqa: NPY002
    estimator = build_estimator(record.spec.trainer.estimator, seed=record.seed)
    table = read_rows(paths.train_rows, record.train_digest)
    target = labels(table, record.target)
    apply_class_weight(estimator, record.spec.trainer.estimator, target)
    report("train", step="fit", rows=table.num_rows, estimator=record.spec.trainer.estimator.class_)
    with convergence_warnings(record.spec.trainer.estimator.class_) as warnings:
        fit(estimator, frame(table, record.features), target)
    model_format = _format_of(record.spec.trainer.estimator.class_)
    content = _save(estimator, model_format)
    (paths.output / model_format.file_name).write_bytes(content)
    write_warnings(paths.training_warnings, warnings)
    report("train", step="saved", bytes=len(content))
    return StageResult(stage="train", fingerprint=fingerprint(record), warnings=tuple(warnings) or None)


def fit(estimator: Any, features: pd.DataFrame, target: Any) -> None:
    """Fit the estimator. Errors of scikit-learn become errors that name the field of the spec.

    Raises:
        BadConfigurationError: scikit-learn rejects a parameter or the rows.
    """
    try:
        estimator.fit(features, target)
    except (ValueError, TypeError) as error:
        raise BadConfigurationError(f"{_field(error)}: {_one_line(error)}{_advice(error, features)}") from error


def _field(error: Exception) -> str:
    from sklearn.utils._param_validation import InvalidParameterError  # noqa: PLC0415

    return f"{FIELD}.params" if isinstance(error, InvalidParameterError) else FIELD


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:600]


def _advice(error: Exception, features: pd.DataFrame) -> str:
    text = [str(name) for name in features.columns if any(isinstance(value, str) for value in features[name])]
    if "could not convert string" in str(error) and text:
        return (
            f"; the columns {', '.join(text[:5])} hold text, which this estimator does not support: "
            f"put sklearn.preprocessing.OrdinalEncoder or OneHotEncoder into {FIELD}.preprocessing"
        )
    if "contains NaN" in str(error):
        empty = [str(name) for name in features.columns if features[name].isna().any()]
        return (
            f"; values are missing in {', '.join(empty[:5])}: put sklearn.impute.SimpleImputer into "
            f"{FIELD}.preprocessing, or use an estimator that supports missing values, such as HistGradientBoosting"
        )
    return ""


def _format_of(path: str) -> ModelFormat:
    """The format that saves the class, which `build_estimator` found in the tables of a format."""
    found = FORMATS.for_class(path)
    if found is None:
        raise BadConfigurationError(f"{FIELD}.class: no model format saves {path}")
    return found


def _save(estimator: Any, model_format: ModelFormat) -> bytes:
    try:
        return model_format.save(estimator)
    except TypeError as error:
        raise BadConfigurationError(
            f"{FIELD}: the fitted model cannot be saved in the format {model_format.name}: {error}"
        ) from error
