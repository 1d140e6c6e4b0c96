"""Fitting and saving an estimator. Exceptions of scikit-learn become errors that name the field and the cause."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np

from perennate.artifacts import FORMATS, ModelFormat
from perennate.trainer.causes import MISSING, TEXT, columns_with, describe, is_text, known_cause
from perennate.trainer.errors import BadConfigurationError, is_transient, refusing
from perennate.trainer.model.class_weight import apply_class_weight
from perennate.trainer.model.estimator import FIELD, build_estimator
from perennate.trainer.model.threads import repeatable_threads

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from perennate.api.documents.run_spec import Estimator, EstimatorStep


def fit_new(spec: Estimator, features: pd.DataFrame, target: Any, *, seed: int) -> Any:
    """A new estimator, fitted. Equal arguments give equal estimators, whatever ran before in this process.

    Args:
        spec: classes and parameters.
        features: the rows.
        target: the label of each row, (rows,).
        seed: of the run.

    Raises:
        BadConfigurationError: scikit-learn rejects a parameter or the rows; the cause is its exception.
    """
    # Estimators have a random_state of their own; the global generators are seeded for all other code.
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    estimator = build_estimator(spec, seed=seed)
    apply_class_weight(estimator, spec, target)
    fit(estimator, features, target, spec)
    return estimator


def fit(estimator: Any, features: pd.DataFrame, target: Any, spec: Estimator | None = None) -> None:
    """Fit an estimator.

    Raises:
        BadConfigurationError: scikit-learn rejects a parameter or the rows.
    """
    try:
        with repeatable_threads(estimator):
            estimator.fit(features, target)
    # Estimators raise ValueError, TypeError, IndexError, AttributeError and others.
    except Exception as error:
        if is_transient(error):
            raise
        known = set() if spec is None else words_of(spec)
        cause = describe(error, features, known=known)
        raise BadConfigurationError(f"{FIELD}: {cause}{_advice(error, features)}") from error


def words_of(spec: Estimator) -> set[str]:
    """Names and texts of the parameters: they may be repeated in messages, because they are no values of rows."""
    return {word for step in (spec, *spec.preprocessing) for word in _words_of_step(step)}


def format_of(path: str) -> ModelFormat:
    """The format that saves the class, which `build_estimator` found in the tables of a format."""
    found = FORMATS.for_class(path)
    if found is None:
        raise BadConfigurationError(f"{FIELD}.class: no model format saves {path}")
    return found


def save(estimator: Any, model_format: ModelFormat) -> bytes:
    """The model file of a fitted estimator.

    Raises:
        BadConfigurationError: the format cannot hold a part of the model.
    """
    with refusing(f"{FIELD}: the fitted model cannot be saved in the format {model_format.name}"):
        return model_format.save(estimator)


def _words_of_step(step: EstimatorStep) -> Iterator[str]:
    yield step.class_.rpartition(".")[2]
    for name, value in step.params.items():
        yield name
        yield from (item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str))


def _advice(error: Exception, features: pd.DataFrame) -> str:
    cause = known_cause(error)
    if cause is TEXT and columns_with(features, is_text):
        return f"; {_encoding(features)}"
    if cause is MISSING:
        return (
            f"; put sklearn.impute.SimpleImputer into {FIELD}.preprocessing, or use an estimator that supports missing "
            "values, such as HistGradientBoosting"
        )
    return ""


def _encoding(features: pd.DataFrame) -> str:
    """How to use text. A step of preprocessing applies to every column, so it can encode text only if all is text."""
    if all(is_text(features[name]) for name in features.columns):
        return (
            "put sklearn.preprocessing.OneHotEncoder with handle_unknown: ignore, or OrdinalEncoder, into "
            f"{FIELD}.preprocessing"
        )
    return (
        "write them as numbers in the data, leave them out with spec.data.exclude, or encode them in a container of "
        f"your own (spec.trainer.container). An encoder in {FIELD}.preprocessing applies to every column, so it would "
        "turn the numbers into categories too"
    )
