"""Metrics of a binary classifier from labels counted in score bins.

The threshold is an edge, so accuracy, precision, recall and F1 are exact. AUC counts rows in one bin as ties. Log loss
and Brier score use the mean score of the hold-out rows in a bin for each of its rows. With 50 bins this changes the log
loss by less than 0.002 and the Brier score by less than 0.001, for baseline and traffic alike. Extreme scores inside
the outermost bins are not visible: if a model is wrong at scores such as 1e-9, the exact log loss is higher (boosted
trees on rare positives: 0.098 exact, 0.063 from bins).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.metrics.auc import auc
from perennate.drift.metrics.measurement import Measurement, Share, Size, Statistic, measurement

CLIP = float(np.finfo(np.float64).eps)
"""Scores are clipped to [CLIP, 1 - CLIP] before the logarithm, as in scikit-learn."""


@dataclass(frozen=True, eq=False)
class Labels:
    """Labelled rows by score bin.

    Args:
        negatives: rows labelled with the negative class by score bin, in ascending order, (bins,).
        positives: rows labelled with the positive class by score bin, (bins,).
        first_positive: first bin whose rows are predicted positive.
        means: mean score of the hold-out rows in each bin, (bins,); None in profiles of older releases.
    """

    negatives: Ints
    positives: Ints
    first_positive: int
    means: Floats | None


def measure(
    negatives: Ints,
    positives: Ints,
    *,
    metric: str,
    first_positive: int,
    confidence: float,
    means: Floats | None = None,
    effect: float = 1.0,
) -> Measurement | None:
    """Measure one metric with its interval; None if it is not defined for these rows (e.g. AUC without positive rows).

    Intervals of shares are Wilson's. The AUC uses the effective sample size that gives DeLong's standard error. F1 is
    2 J / (1 + J) with the share J = tp / (tp + fp + fn) (Hand, Christen & Kirielle, Machine Learning 110, 2021). So no
    bootstrap is needed.

    Args:
        negatives: rows labelled with the negative class by score bin, in ascending order, (bins,).
        positives: rows labelled with the positive class by score bin, (bins,).
        metric: a key of METRICS.
        first_positive: first bin whose rows are predicted positive.
        confidence: two-sided level of the interval.
        means: mean score of the hold-out rows in each bin, (bins,); log loss and Brier score need them.
        effect: design effect of the rows, 1 if they are independent.
    """
    statistic = METRICS[metric](Labels(negatives, positives, first_positive, means))
    if statistic is None:
        return None
    rows = int(negatives.sum() + positives.sum())
    return measurement(metric, statistic.deflated(effect), rows=rows, confidence=confidence)


def measure_all(
    negatives: Ints, positives: Ints, *, first_positive: int, means: Floats | None, confidence: float = 0.95
) -> dict[str, Measurement]:
    """Measure every metric that is defined for these rows, by name. See `measure` for the arguments."""
    found = (
        measure(negatives, positives, metric=name, first_positive=first_positive, confidence=confidence, means=means)
        for name in METRICS
    )
    return {item.metric: item for item in found if item is not None}


def _share(hits: float, rows: float) -> Share | None:
    """A plain share; None of no rows."""
    return Share(hits / rows, rows) if rows else None


def _accuracy(labels: Labels) -> Statistic | None:
    """(tn + tp) / rows."""
    first = labels.first_positive
    hits = float(labels.negatives[:first].sum() + labels.positives[first:].sum())
    return _share(hits, float(labels.negatives.sum() + labels.positives.sum()))


def _precision(labels: Labels) -> Statistic | None:
    """Tp / (tp + fp)."""
    hits = float(labels.positives[labels.first_positive :].sum())
    return _share(hits, hits + float(labels.negatives[labels.first_positive :].sum()))


def _recall(labels: Labels) -> Statistic | None:
    """Tp / (tp + fn)."""
    return _share(float(labels.positives[labels.first_positive :].sum()), float(labels.positives.sum()))


def _f1(labels: Labels) -> Statistic | None:
    """2 tp / (2 tp + fp + fn), by way of tp / (tp + fp + fn)."""
    hits = float(labels.positives[labels.first_positive :].sum())
    rows = float(labels.positives.sum() + labels.negatives[labels.first_positive :].sum())
    if not rows:
        return None
    jaccard = hits / rows
    return Share(jaccard, rows, _f1_of_jaccard, 2 / (1 + jaccard) ** 2)


def _f1_of_jaccard(share: float) -> float:
    """F1 = 2 J / (1 + J)."""
    return 2 * share / (1 + share)


def _auc(labels: Labels) -> Statistic | None:
    """Area under the ROC curve."""
    if not (labels.negatives.any() and labels.positives.any()):
        return None
    value, error = auc(labels.negatives, labels.positives)
    # If all pairs are ordered, or all tied, the error is 0; use the size of the rarer class as sample size.
    return Share.of_error(value, error, fallback=float(min(labels.negatives.sum(), labels.positives.sum())))


def _log_loss(labels: Labels) -> Statistic | None:
    """Mean of -log of the predicted probability of the true class."""
    if labels.means is None:
        return None
    scores = np.clip(labels.means, CLIP, 1 - CLIP)
    return _mean_loss(labels, -np.log1p(-scores), -np.log(scores))


def _brier(labels: Labels) -> Statistic | None:
    """Mean squared difference of score and class (G. W. Brier, Monthly Weather Review 78, 1950)."""
    if labels.means is None:
        return None
    return _mean_loss(labels, labels.means**2, (1 - labels.means) ** 2)


def _mean_loss(labels: Labels, negative: Floats, positive: Floats) -> Statistic | None:
    """Mean of a loss that depends on bin and class, with its standard error."""
    rows = float(labels.negatives.sum() + labels.positives.sum())
    if not rows:
        return None
    mean = float(labels.negatives @ negative + labels.positives @ positive) / rows
    squares = float(labels.negatives @ (negative - mean) ** 2 + labels.positives @ (positive - mean) ** 2)
    return Size(mean, math.sqrt(squares / (max(rows - 1, 1) * rows)))


METRICS: Mapping[str, Callable[[Labels], Statistic | None]] = MappingProxyType(
    {
        "accuracy": _accuracy,
        "precision": _precision,
        "recall": _recall,
        "f1": _f1,
        "auc": _auc,
        "logLoss": _log_loss,
        "brier": _brier,
    }
)
"""All metrics from labels in score bins."""


def labels_by_bin(bins: Ints, positive: np.ndarray, width: int) -> tuple[Ints, Ints]:
    """Negative and positive rows of each of `width` score bins, from each row's bin and whether it is positive."""
    hits = np.bincount(bins[positive], minlength=width)
    return np.bincount(bins, minlength=width) - hits, hits


def mean_scores(scores: Floats, bins: Ints, edges: Floats) -> Floats:
    """Return the mean score of each bin, (edges + 1,); for bins without rows the midpoint, with outer ends 0 and 1.

    Args:
        scores: probabilities, (rows,).
        bins: bin of each row, (rows,).
        edges: upper ends of all bins but the last.
    """
    rows, sums = (np.bincount(bins, weights, edges.size + 1) for weights in (None, scores))
    middle = (np.append(0.0, edges) + np.append(edges, 1.0)) / 2
    means: Floats = np.divide(sums, rows, out=middle, where=rows > 0)
    # The mean of equal numbers may differ from them by rounding.
    return np.clip(means, 0.0, 1.0)
