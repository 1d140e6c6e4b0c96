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

    Rows with equal times stay on one side: the boundary between two times that is nearest to the fraction is used.

    Args:
        times: of each row, (rows,), none missing.
        fraction: share to hold out.

    Raises:
        DataRefusedError: all rows have the same time.
    """
    order = np.argsort(times, kind="stable").astype(np.int64)
    ordered = times[order]
    boundaries = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    if not len(boundaries):
        raise DataRefusedError(
            f"spec.data.holdout.timeColumn: all {len(times)} rows have the same time, so no row is newer than another; "
            "choose another column, or leave timeColumn out for a random split"
        )
    wanted = len(order) - _share(len(order), fraction)
    boundary = int(boundaries[np.abs(boundaries - wanted).argmin()])
    return order[:boundary], order[boundary:]


def split_by_group(groups: npt.NDArray[Any], fraction: float, seed: int) -> tuple[RowIndices, RowIndices]:
    """Indices of the training rows and of the hold-out rows, each ascending. All rows of a group are in one part.

    Groups are held out in an order that the seed decides, as long as the share of rows comes nearer to the fraction.
    The order of the rows does not matter.

    Args:
        groups: group of each row, (rows,), none missing.
        fraction: share of the rows to hold out.
        seed: seed of the random choice.

    Raises:
        DataRefusedError: all rows are of one group.
    """
    names, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise DataRefusedError(
            f"spec.data.holdout.groupColumn: all {len(groups)} rows are of one group; at least two are needed, one for "
            "training and one for the hold-out: choose another column, or leave groupColumn out"
        )
    chosen = _nearest_groups(np.random.default_rng(seed).permutation(len(names)), counts, len(groups) * fraction)
    held = np.isin(inverse, chosen)
    return np.flatnonzero(~held), np.flatnonzero(held)


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


def _nearest_groups(order: RowIndices, counts: RowIndices, wanted: float) -> RowIndices:
    """The groups to hold out: at least one, never all, with a number of rows near to the wanted one."""
    chosen: list[int] = []
    held = 0
    for group in order[:-1].tolist():
        count = int(counts[group])
        if abs(held + count - wanted) < abs(held - wanted):
            chosen.append(group)
            held += count
    # Without a group that is small enough, the smallest is the nearest.
    return np.array(chosen or [order[counts[order].argmin()]], dtype=np.int64)


def _share(rows: int, fraction: float) -> int:
    """Number of rows to hold out: at least one, and never all."""
    return min(max(round(rows * fraction), 1), rows - 1)
