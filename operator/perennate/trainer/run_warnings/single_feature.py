"""How well one feature alone predicts the target.

The rows are split into two halves. Each row gets the label of the nearest value of the feature in the other half: the
most frequent label at an equal value, and the interpolated number for a regression. A copy of the label, a consequence
of it, or the number of a row in sorted data predicts almost every row; real features hardly ever do. The share of hits
is averaged over classes, so that a rare class counts as much as a frequent one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from perennate.trainer.run_warnings.fingerprints import column_codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perennate.trainer.tasks import Task

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PERFECT: Final = {"classification": 0.99, "regression": 0.999}
"""Mean share of hits of the classes, and share of the explained variance, from which a feature is suspicious."""
CLASS_ROWS: Final = 10
"""Classes with fewer rows do not count. Of 20,000 random features of 30 rows, ten of them in the rarer class, none
reached more than 0.9."""
REGRESSION_ROWS: Final = 50
FIRST_ROWS: Final = 2_000
"""Rows that decide whether a feature is examined on more rows."""
MAX_ROWS: Final = 20_000
FIRST_SHARE: Final = 0.9


@dataclass(frozen=True)
class PerfectFeature:
    """A feature that alone predicts the target, with its share of hits or of explained variance."""

    name: str
    share: float


def perfect_features(features: pa.Table, target: pa.ChunkedArray, task: Task) -> Iterator[PerfectFeature]:
    """The features that alone predict the target.

    Args:
        features: distinct rows; equal rows in both halves would make every feature perfect. At most `MAX_ROWS` count.
        target: their labels.
        task: of the run.
    """
    order = np.random.default_rng(0).permutation(features.num_rows)[:MAX_ROWS]
    truth = _truth(target.take(pa.array(order)), task)
    for name in features.column_names:
        values, is_text = _values(features[name].take(pa.array(order)))
        first = _share(values[:FIRST_ROWS], truth[:FIRST_ROWS], task, is_text=is_text)
        if first is None or first < FIRST_SHARE:
            continue
        share = _share(values, truth, task, is_text=is_text)
        if share is not None and share >= PERFECT[task]:
            yield PerfectFeature(name, share)


def _truth(target: pa.ChunkedArray, task: Task) -> Floats:
    """True values, or the number of each true class."""
    if task == "regression":
        return np.asarray(target.cast(pa.float64(), safe=False).to_numpy())
    return np.unique(column_codes(target), return_inverse=True)[1].astype(np.float64)


def _values(column: pa.ChunkedArray) -> tuple[Floats, bool]:
    """The values as numbers with NaN for missing ones, and whether they are numbers of categories without an order."""
    if pa.types.is_string(column.type):
        return column_codes(column).astype(np.float64), True
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy()), False


def _share(values: Floats, truth: Floats, task: Task, *, is_text: bool) -> float | None:
    """Mean share of hits of the classes, or explained variance; None with too few rows."""
    half = len(values) // 2
    one, other = (values[:half], truth[:half]), (values[half:], truth[half:])
    predict = _numbers if task == "regression" else _classes
    predicted = np.concatenate((predict(*other, one[0], is_text=is_text), predict(*one, other[0], is_text=is_text)))
    return _explained(truth, predicted) if task == "regression" else _mean_hits(truth, predicted)


def _mean_hits(truth: Floats, predicted: Floats) -> float | None:
    classes, rows = np.unique(truth, return_counts=True)
    shares = [np.mean(predicted[truth == label] == label) for label in classes[rows >= CLASS_ROWS]]
    return None if len(shares) < 2 else float(np.mean(shares))


def _explained(truth: Floats, predicted: Floats) -> float | None:
    inside = np.isfinite(predicted)
    if inside.sum() < REGRESSION_ROWS:
        return None
    total = float(np.var(truth[inside]))
    return None if total == 0 else 1 - float(np.mean((truth[inside] - predicted[inside]) ** 2)) / total


def _classes(known: Floats, labels: Floats, asked: Floats, *, is_text: bool) -> Floats:
    """The most frequent label at the nearest known value; of all rows if none is near."""
    found = np.full(len(asked), _most_frequent(np.zeros(len(labels)), labels)[1][0])
    for missing in (True, False):
        of, ask = np.isnan(known) == missing, np.isnan(asked) == missing
        if of.any() and ask.any():
            keys, best = _most_frequent(np.zeros(of.sum()) if missing else known[of], labels[of])
            wanted = np.zeros(ask.sum()) if missing else asked[ask]
            near = _nearest(keys, wanted)
            exact = keys[near] == wanted
            found[ask] = np.where(exact, best[near], found[ask]) if is_text else best[near]
    return found


def _most_frequent(values: Floats, labels: Floats) -> tuple[Floats, Floats]:
    """The distinct values in ascending order, and the most frequent label of each."""
    pairs, counts = np.unique(np.column_stack((values, labels)), axis=0, return_counts=True)
    order = np.lexsort((-counts, pairs[:, 0]))
    keys, first = np.unique(pairs[order, 0], return_index=True)
    return keys, pairs[order, 1][first]


def _nearest(keys: Floats, wanted: Floats) -> Ints:
    """Position of the nearest of ascending keys."""
    right = np.searchsorted(keys, wanted).clip(0, len(keys) - 1)
    left = (right - 1).clip(0)
    return np.where(np.abs(wanted - keys[left]) <= np.abs(keys[right] - wanted), left, right)


def _numbers(known: Floats, labels: Floats, asked: Floats, *, is_text: bool) -> Floats:
    """The mean label at equal values, else between the neighbours by interpolation; NaN outside the known values."""
    of = ~np.isnan(known)
    if not of.any():
        return np.full(len(asked), np.nan)
    keys, inverse = np.unique(known[of], return_inverse=True)
    means = np.bincount(inverse, labels[of]) / np.bincount(inverse)
    if is_text:
        near = _nearest(keys, asked)
        return np.where(keys[near] == asked, means[near], labels.mean())
    return np.interp(asked, keys, means, left=np.nan, right=np.nan)
