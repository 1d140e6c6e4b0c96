"""The split into training rows and hold-out rows. It is deterministic for the same seed and rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from perennate.trainer.errors import DataRefusedError

RowIndices = npt.NDArray[np.int64]


def split_random(
    rows: int, fraction: float, seed: int, *, classes: npt.NDArray[Any] | None
) -> tuple[RowIndices, RowIndices]:
    """Indices of the training rows and of the hold-out rows, each ascending.

    Args:
        rows: number of rows.
        fraction: share to hold out, within each class if classes are given.
        seed: seed of the random choice.
        classes: class of each row, (rows,), or None.

    Raises:
        DataRefusedError: a class has a single row, so it cannot be in both parts.
    """
    generator = np.random.default_rng(seed)
    held = np.zeros(rows, dtype=bool)
    groups = [np.arange(rows)] if classes is None else _groups(classes)
    for group in groups:
        chosen = generator.permutation(group)[: _share(len(group), fraction)]
        held[chosen] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def split_by_time(times: npt.NDArray[Any], fraction: float) -> tuple[RowIndices, RowIndices]:
    """Indices of the older rows and of the newest rows, each in the order of time.

    Args:
        times: of each row, (rows,); equal times keep the order of the rows.
        fraction: share to hold out.
    """
    order = np.argsort(times, kind="stable").astype(np.int64)
    boundary = len(order) - _share(len(order), fraction)
    return order[:boundary], order[boundary:]


def check_classes(train: npt.NDArray[Any], holdout: npt.NDArray[Any]) -> None:
    """Refuse a split that does not allow to train or evaluate a classifier.

    Raises:
        DataRefusedError: a part has a single class, or the hold-out rows have a class that the training rows lack.
    """
    known, tested = set(train.tolist()), set(holdout.tolist())
    for part, found in (("training", known), ("hold-out", tested)):
        if len(found) < 2:
            raise DataRefusedError(
                f"spec.data.holdout: all {part} rows have the same class; both parts need two or more: "
                "change fraction, or split at random"
            )
    if unseen := tested - known:
        raise DataRefusedError(
            f"spec.data.holdout: {len(unseen)} of {len(known | tested)} classes are only in the hold-out rows; "
            "change fraction, or split at random"
        )


def _groups(classes: npt.NDArray[Any]) -> list[RowIndices]:
    names, inverse, counts = np.unique(classes, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        # Without the name: that of a class with a single row is the value of this row.
        raise DataRefusedError(
            f"spec.data.target: {int((counts < 2).sum())} of {len(names)} classes have a single row; every class needs "
            "at least two, one for training and one for the hold-out: count the rows of each class, and remove or "
            "merge the rare ones"
        )
    return [np.flatnonzero(inverse == number) for number in range(len(names))]


def _share(rows: int, fraction: float) -> int:
    """Number of rows to hold out: at least one, and never all."""
    return min(max(round(rows * fraction), 1), rows - 1)
