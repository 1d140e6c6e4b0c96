"""Checks of estimators and parameters that need no rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perennate.api.documents.metric import Metric
from perennate.artifacts import FORMATS
from perennate.trainer.errors import BadConfigurationError
from perennate.trainer.tasks import check_metrics, requested_metrics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perennate.api.documents.run_spec import Evaluation

_FROM_PROBABILITIES: Final = frozenset({Metric.LOG_LOSS, Metric.BRIER})
"""Metrics that no classifier has without probabilities. AUC of two classes can also use its decision function."""


def check_parameters(step: Any, names: Iterable[str], field: str) -> None:
    """Check values of parameters by the rules that scikit-learn applies when it fits.

    Args:
        step: an unfitted estimator or transformer.
        names: parameters that the spec sets.
        field: field of the spec for error messages, without `.params`.

    Raises:
        BadConfigurationError: a value is not allowed.
    """
    from sklearn.utils._param_validation import (  # noqa: PLC0415 - a slow import
        InvalidParameterError,
        validate_parameter_constraints,
    )

    rules, values = type(step)._parameter_constraints, step.get_params(deep=False)  # noqa: SLF001
    for name in names:
        try:
            validate_parameter_constraints(rules, {name: values[name]}, caller_name=type(step).__name__)
        except InvalidParameterError as error:
            raise BadConfigurationError(f"{field}.params.{name}: {error}") from error


def check_evaluation(evaluation: Evaluation, path: str, estimator: Any) -> None:
    """Check that an estimator can have the metrics of the spec.

    Args:
        evaluation: metrics and gates.
        path: public import path of the estimator's class.
        estimator: unfitted.

    Raises:
        BadConfigurationError: a metric is one of another task, or needs probabilities that the estimator lacks.
    """
    task = FORMATS.task(path)
    if task is None:
        return
    check_metrics(evaluation, task)
    if task == "regression" or hasattr(estimator, "predict_proba"):
        return
    for field, metric in requested_metrics(evaluation):
        if metric in _FROM_PROBABILITIES:
            raise BadConfigurationError(
                f"{field}: {metric.value} needs probabilities, which {path} with these parameters does not have; use "
                "another metric, or an estimator that has predict_proba"
            )
