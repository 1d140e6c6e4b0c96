"""Metrics of a two-class model from labels counted in score bins."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from perennate.drift.arrays import Ints
from perennate.drift.auc import auc
from perennate.drift.wilson import wilson_interval


@dataclass(frozen=True)
class Measurement:
    """A metric of labelled rows.

    Args:
        metric: its name.
        value: its value.
        lower, upper: ends of its confidence interval.
        standard_error: of the value.
        rows: labelled rows that it was taken from.
    """

    metric: str
    value: float
    lower: float
    upper: float
    standard_error: float
    rows: int


@dataclass(frozen=True)
class _Share:
    """A metric as a share of so many rows, and what that share must be turned into."""

    share: float
    rows: float
    turn: Callable[[float], float]
    slope: float

    def standard_error(self) -> float:
        """By the delta method."""
        return self.slope * math.sqrt(self.share * (1 - self.share) / self.rows)


def measure(
    negatives: Ints, positives: Ints, *, metric: str, first_positive: int, confidence: float
) -> Measurement | None:
    """One metric with its interval; None when it is not defined for these rows (e.g. AUC without a positive row).

    Intervals are Wilson's. For the AUC the number of rows is the effective one that gives DeLong's standard error; F1
    is taken as 2 J / (1 + J) of the share J = tp / (tp + fp + fn) (Hand, Christen & Kirielle, Machine Learning 110,
    2021).

    Args:
        negatives: rows labelled with the negative class, by score bin in score order, (bins,).
        positives: rows labelled with the positive class likewise.
        metric: a key of METRICS.
        first_positive: first bin whose rows are predicted positive.
        confidence: two-sided level of the interval.
    """
    share = METRICS[metric](negatives, positives, first_positive)
    if share is None:
        return None
    lower, upper = wilson_interval(share.share, share.rows, confidence)
    return Measurement(
        metric=metric,
        value=share.turn(share.share),
        lower=share.turn(lower),
        upper=share.turn(upper),
        standard_error=share.standard_error(),
        rows=int(negatives.sum() + positives.sum()),
    )


def _identity(share: float) -> float:
    """A metric that is a share."""
    return share


def _f1_of_jaccard(share: float) -> float:
    """F1 = 2 J / (1 + J)."""
    return 2 * share / (1 + share)


def _share(hits: float, rows: float) -> _Share | None:
    """A plain share; None of no rows."""
    return _Share(hits / rows, rows, _identity, 1.0) if rows else None


def _accuracy(negatives: Ints, positives: Ints, first: int) -> _Share | None:
    """(tn + tp) / rows."""
    hits = float(negatives[:first].sum() + positives[first:].sum())
    return _share(hits, float(negatives.sum() + positives.sum()))


def _precision(negatives: Ints, positives: Ints, first: int) -> _Share | None:
    """Tp / (tp + fp)."""
    hits = float(positives[first:].sum())
    return _share(hits, hits + float(negatives[first:].sum()))


def _recall(negatives: Ints, positives: Ints, first: int) -> _Share | None:
    """Tp / (tp + fn)."""
    return _share(float(positives[first:].sum()), float(positives.sum()))


def _f1(negatives: Ints, positives: Ints, first: int) -> _Share | None:
    """2 tp / (2 tp + fp + fn), by way of tp / (tp + fp + fn)."""
    hits = float(positives[first:].sum())
    rows = float(positives.sum() + negatives[first:].sum())
    if not rows:
        return None
    jaccard = hits / rows
    return _Share(jaccard, rows, _f1_of_jaccard, 2 / (1 + jaccard) ** 2)


def _auc(negatives: Ints, positives: Ints, first: int) -> _Share | None:
    """Area under the ROC curve; the threshold does not matter."""
    del first
    if not (negatives.any() and positives.any()):
        return None
    value, error = auc(negatives, positives)
    # Without any spread (all pairs in order, or all ties) the error says nothing: fall back to as many rows as the
    # rarer class has.
    rows = value * (1 - value) / error**2 if error > 0 else float(min(negatives.sum(), positives.sum()))
    return _Share(value, max(rows, 1.0), _identity, 1.0)


METRICS: Mapping[str, Callable[[Ints, Ints, int], _Share | None]] = MappingProxyType(
    {"accuracy": _accuracy, "precision": _precision, "recall": _recall, "f1": _f1, "auc": _auc}
)
"""Every metric that labels in score bins give."""


def labels_by_bin(bins: Ints, positive: np.ndarray, width: int) -> tuple[Ints, Ints]:
    """Negative and positive rows of each of `width` score bins, from each row's bin and whether it is positive."""
    hits = np.bincount(bins[positive], minlength=width)
    return np.bincount(bins, minlength=width) - hits, hits
