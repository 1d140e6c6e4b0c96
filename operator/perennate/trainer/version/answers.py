"""Whether a version, loaded as in a serving pod, answers requests as the trained model would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from perennate.serving.request_error import RequestError
from perennate.trainer.errors import BadConfigurationError, refusing

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from perennate.artifacts import Prediction
    from perennate.serving.model.model import BatchPrediction, ServedModel

SINGLE_ROWS: Final = 3
"""Rows that are also asked one by one."""
RELATIVE_ROUNDING: Final = 1e-6
"""Sums of another order or thread count differ less."""


def records_of(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as a client sends them in JSON; a missing value is null."""
    columns = {str(name): [_json(value) for value in rows[name].tolist()] for name in rows.columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def check_answers(model: ServedModel, records: list[dict[str, Any]], expected: Prediction) -> None:
    """Ask a served model for rows that it was trained on: as one batch, whose answers are compared, and one by one.

    The answer to a single row is not compared: some transformers, such as NMF, iterate over all rows of a batch.

    Args:
        model: as a serving pod loads it.
        records: rows of the training data.
        expected: the predictions of the trained model for them.

    Raises:
        BadConfigurationError: a request fails or is refused, or an answer to the batch differs.
    """
    what = f"for {len(records)} of its training rows"
    found = _ask(model, records, what)
    equal = (
        _equal_probabilities(found.probabilities, expected.probabilities)
        if expected.probabilities is not None and found.probabilities is not None
        else _equal_values(found.predictions, expected.values)
    )
    if not equal:
        raise BadConfigurationError(
            f"spec.trainer: the answers of a serving pod {what} would differ from those of the trained model"
        )
    for record in records[:SINGLE_ROWS]:
        _ask(model, [record], "for a single training row")


def _ask(model: ServedModel, records: list[dict[str, Any]], what: str) -> BatchPrediction:
    try:
        batch = model.schema.read(records)
        model.schema.check_missing(batch, name="records")
    except RequestError as error:
        raise BadConfigurationError(
            f"spec.trainer: a serving pod would refuse a request {what}: {error.reason}"
        ) from error
    with refusing(f"spec.trainer: a serving pod would fail to answer a request {what}"):
        return model.predict(batch)


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
