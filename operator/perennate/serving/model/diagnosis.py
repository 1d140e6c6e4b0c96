"""Why the model raised an exception: which rows it refuses, and which value of them, found by trial.

Messages of exceptions cannot tell: most name a column by its position in some step, and some repeat values of training.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perennate.drift.profile.features import NumericFeature
from perennate.serving.request_error import LISTED, InvalidValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from perennate.drift.profile.features import Feature
    from perennate.serving.model.model import ServedModel
    from perennate.serving.model.schema import Batch


def find_refused(model: ServedModel, batch: Batch, *, name: str = "records") -> list[InvalidValue]:
    """The values or rows of a batch that the model refuses, at most one more than a response lists.

    Args:
        model: the model, which failed to predict the batch.
        batch: the rows.
        name: name of the rows in error messages.

    Returns:
        An empty list if the rows are not the cause: the model also fails with a row like those it was trained on, or
        each row alone succeeds. It takes the time of at most about seven predictions of the batch.

    Raises:
        MemoryError: the pod has not enough memory.
    """
    if _fails(model, model.sample(1)):
        return []
    rows = failing_rows(lambda part: _fails(model, part), batch, LISTED + 1)
    found: list[InvalidValue] = []
    for row in rows:
        found += _of_row(model, batch, row, name)
        if len(found) > LISTED:
            break
    return found[: LISTED + 1]


def failing_rows(fails: Callable[[Batch], bool], batch: Batch, limit: int) -> list[int]:
    """The first rows with which a prediction fails, found by halving.

    Args:
        fails: whether a prediction of some rows fails.
        batch: the rows; together they fail.
        limit: maximum number of rows to find.
    """
    parts = [(0, batch.rows)]
    found: list[int] = []
    while parts and len(found) < limit:
        start, stop = parts.pop()
        if not fails(batch.take(slice(start, stop))):
            continue
        if stop - start == 1:
            found.append(start)
        else:
            middle = (start + stop) // 2
            parts += [(middle, stop), (start, middle)]
    return found


def cause_of(error: BaseException) -> str:
    """The type of an exception and where it was raised. Its message may repeat values, so it is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    file = "/".join(Path(frames[-1].filename).parts[-2:])
    return f"{type(error).__name__} in {frames[-1].name} ({file}:{frames[-1].lineno})"


def _of_row(model: ServedModel, batch: Batch, row: int, name: str) -> list[InvalidValue]:
    """The values that alone make an accepted row fail; the whole row if there is none."""
    features = model.schema.features
    trial = _one_value_each(model, batch.take(slice(row, row + 1)))
    places = failing_rows(lambda part: _fails(model, part), trial, LISTED + 1)
    if not places:
        return [InvalidValue(f"{name}[{row}]", row, None, "the model does not accept these values together")]
    return [
        InvalidValue(f"{name}[{row}].{feature.name}", row, feature.name, _reason(model, batch, row, place))
        for place, feature in ((place, features[place]) for place in places)
    ]


def _one_value_each(model: ServedModel, row: Batch) -> Batch:
    """As many accepted rows as there are features; row i has the value of feature i from `row`."""
    names = model.schema.names
    accepted = model.sample(1)
    columns = {}
    for place, name in enumerate(names):
        column = np.repeat(accepted.columns[name].astype(row.columns[name].dtype), len(names))
        column[place] = row.columns[name][0]
        columns[name] = column
    return model.schema.of_columns(columns, len(names))


def _reason(model: ServedModel, batch: Batch, row: int, place: int) -> str:
    """Why the model may refuse a value, without repeating it."""
    feature = model.schema.features[place]
    value = batch.columns[feature.name][row]
    return f"the model does not accept this {feature.type}{_novelty(model.profile.features[place], value)}"


def _novelty(feature: Feature, value: Any) -> str:
    """What is known to be new about a value."""
    if value is None:
        return ""
    if isinstance(feature, NumericFeature):
        if feature.minimum is None or feature.maximum is None:
            return ""
        outside = not feature.minimum <= float(value) <= feature.maximum
        return ": it is outside the range of training" if outside else ""
    # Rare categories are counted together as `other`, without their names.
    new = feature.other == 0 and value not in feature.categories
    return ": it did not occur in training" if new else ""


def _fails(model: ServedModel, batch: Batch) -> bool:
    try:
        model.predict(batch)
    except MemoryError:
        raise
    # Any other exception of the model is the answer.
    except Exception:
        return True
    return False
