"""Warnings about the prepared rows. They name columns and counts, and never a value of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from perennate.api.documents.stage_result import RunWarning, WarningReason
from perennate.trainer.data.classes import listed, positive_class
from perennate.trainer.run_warnings.fingerprints import equal_columns, fingerprints
from perennate.trainer.run_warnings.single_feature import FIRST_ROWS, MAX_ROWS, perfect_features
from perennate.trainer.run_warnings.wording import described, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perennate.trainer.data.selection import Columns
    from perennate.trainer.tasks import Task

LEAST_DUPLICATES: Final = 0.01
"""Share of the hold-out rows from which duplicates matter: below it, they change a metric by less than 0.01."""
OVER_CHANCE: Final = 10
"""Duplicates are reported if there are this many times more than in rows whose values are shuffled by column. Tables of
a few categories have many equal rows, and these are no copies."""


def data_warnings(
    train: pa.Table, holdout: pa.Table, columns: Columns, task: Task, *, collapsed: Sequence[str]
) -> Iterator[RunWarning]:
    """The warnings about the rows of a run.

    Args:
        train: training rows.
        holdout: hold-out rows, with at least the columns of the training rows.
        columns: target and features.
        task: of the run.
        collapsed: features whose integers float64 cannot tell apart.
    """
    if columns.index:
        advice = "list it in spec.data.features" if all(columns.index) else "give it a name in the header"
        yield described(
            WarningReason.INDEX_COLUMN,
            f"{named(columns.index)} looks like an index that pandas wrote and is not a feature; to use it, {advice}",
        )
    if collapsed:
        yield described(
            WarningReason.INTEGERS_COLLIDE,
            f"{named(collapsed)} holds integers above 2^53, of which float64 makes fewer distinct numbers; if it is an "
            "id, exclude it (spec.data.exclude), or store it as text",
        )
    features = train.select(list(columns.features))
    constant = [name for name in columns.features if _is_constant(features[name])]
    if constant:
        yield described(
            WarningReason.CONSTANT_COLUMN, f"{named(constant)} has one value in all {train.num_rows} training rows"
        )
    yield from _comparisons(train, holdout, columns, task, set(constant))


def positive_class_warning(given: str | None, classes: Sequence[str]) -> tuple[RunWarning, ...]:
    """A warning if there are two classes and none of them is the positive one."""
    if len(classes) != 2 or positive_class(given, classes) is not None:
        return ()
    message = (
        f"precision, recall and F1 are left out, because the classes are {listed(classes)} and "
        "spec.data.positiveClass is not set"
    )
    return (described(WarningReason.POSITIVE_CLASS_NOT_SET, message),)


def _comparisons(
    train: pa.Table, holdout: pa.Table, columns: Columns, task: Task, constant: set[str]
) -> Iterator[RunWarning]:
    """Warnings that need hashes of the rows."""
    names = [*columns.features, columns.target]
    rows = pa.concat_tables([train.select(names), holdout.select(names)])
    hashes = fingerprints(rows)
    pairs = equal_columns(rows, hashes.columns, [name for name in columns.features if name not in constant])
    if pairs:
        shown = ", ".join(f"{name!r} equals {other!r}" for name, other in pairs[:3])
        more = f", and {len(pairs) - 3} more" if len(pairs) > 3 else ""
        yield described(WarningReason.DUPLICATE_COLUMN, f"in every row, {shown}{more}; one of the two is enough")
    duplicates = _duplicates(hashes.rows, train.num_rows)
    if duplicates >= max(2, LEAST_DUPLICATES * holdout.num_rows):
        chance = _duplicates(fingerprints(rows, shuffle=np.random.default_rng(0)).rows, train.num_rows)
        if duplicates > OVER_CHANCE * chance:
            yield described(
                WarningReason.DUPLICATE_ROWS,
                f"{duplicates} of {holdout.num_rows} hold-out rows are also training rows, with equal features and "
                "label, so the metrics may be too good; remove duplicates before training",
            )
    first = np.unique(hashes.rows, return_index=True)[1]
    distinct = rows.take(pa.array(np.random.default_rng(0).permutation(first)[:MAX_ROWS]))
    features = distinct.select([name for name in columns.features if name not in constant])
    found = list(perfect_features(features, distinct[columns.target], task))
    if found:
        what = "predicts the label" if task == "classification" else "determines the target"
        best = max(found, key=lambda item: item.share)
        yield described(
            WarningReason.PERFECT_FEATURE,
            f"{named([item.name for item in found])} alone {what} almost perfectly ({best.share:.2%}); if it is a copy "
            "or a consequence of the label, or the number of a sorted row, exclude it (spec.data.exclude)",
        )


def _duplicates(hashes: np.ndarray, training_rows: int) -> int:
    """How many rows after the training rows are equal to one of them."""
    return int(np.isin(hashes[training_rows:], hashes[:training_rows]).sum())


def _is_constant(column: pa.ChunkedArray) -> bool:
    # Most columns vary in their first rows, and counting all distinct values takes most of the time of all checks.
    return all(pc.count_distinct(part, mode="all").as_py() == 1 for part in (column.slice(0, FIRST_ROWS), column))
