"""Whether a version, loaded as in a serving pod, answers requests as the trained model would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from perennate.serving.request_error import RequestError
from perennate.trainer.errors import BadConfigurationError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from perennate.artifacts import Prediction
    from perennate.serving.model.model import ServedModel

SINGLE_ROWS: Final = 3
"""Rows that are also asked one by one."""
RELATIVE_ROUNDING: Final = 1e-6
"""Sums of another order or thread count differ less."""


def records_of(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as a client sends them in JSON; a missing value is null."""
    columns = {str(name): [_json(value) for value in rows[name].tolist()] for name in rows.columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def check_answers(model: ServedModel, records: list[dict[str, Any]], expected: Prediction) -> None:
    """Ask a served model for rows that it was trained on, as one batch and one by one, and compare the answers.

    Args:
        model: as a serving pod loads it.
        records: rows of the training data.
        expected: the predictions of the trained model for them.

    Raises:
        BadConfigurationError: a row is refused, or an answer differs.
    """
    _check(model, records, expected.values, expected.probabilities)
    for row in range(min(SINGLE_ROWS, len(records))):
        part = slice(row, row + 1)
        probabilities = None if expected.probabilities is None else expected.probabilities[part]
        _check(model, records[part], expected.values[part], probabilities)


def _check(
    model: ServedModel,
    records: list[dict[str, Any]],
    values: npt.NDArray[Any],
    probabilities: npt.NDArray[np.float64] | None,
) -> None:
    what = f"for {len(records)} of its training rows" if len(records) > 1 else "for one of its training rows"
    try:
        found = model.predict(model.schema.read(records))
    except RequestError as error:
        raise BadConfigurationError(
            f"spec.trainer: a serving pod would refuse a request {what}: {error.reason}"
        ) from error
    equal = (
        _equal_probabilities(found.probabilities, probabilities)
        if probabilities is not None and found.probabilities is not None
        else _equal_values(found.predictions, values)
    )
    if not equal:
        raise BadConfigurationError(
            f"spec.trainer: the answers of a serving pod {what} would differ from those of the trained model; it must "
            "give the same answer to a row alone and in a batch, to a matrix and to a table with column names"
        )


def _equal_probabilities(found: npt.NDArray[np.float64], expected: npt.NDArray[np.float64]) -> bool:
    return bool(np.allclose(found, expected, rtol=RELATIVE_ROUNDING, atol=RELATIVE_ROUNDING, equal_nan=True))


def _equal_values(found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> bool:
    if expected.dtype.kind != "f":
        return bool(np.array_equal(found, expected))
    # Predictions can be sums of large terms that cancel, so the scale is that of all of them.
    scale = float(np.nanmax(np.abs(expected), initial=0.0))
    return bool(np.allclose(found, expected, rtol=RELATIVE_ROUNDING, atol=RELATIVE_ROUNDING * scale, equal_nan=True))


def _json(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value
