"""Is the model still as good as it was? From true classes that came back, counted by score bin."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from perennate.drift.labelled import METRICS, Measurement, measure
from perennate.drift.persistence import HYSTERESIS, Signal
from perennate.drift.verdict import ROWS_FLOOR
from perennate.drift.window import Sample


class Standing(StrEnum):
    """How the labelled performance stands against the baseline."""

    HELD = "Held"
    """Not proven to be below baseline minus tolerance."""
    LOST = "Lost"
    """The whole interval lies below baseline minus tolerance."""
    UNKNOWN = "Unknown"
    """It could not be told; `cause` says why."""


class Cause(StrEnum):
    """Why nothing can be said about the performance."""

    NOT_COUNTED = "NotCounted"
    """Labels are counted for models of two classes that were trained with hold-out rows."""
    NO_BASELINE = "NoBaseline"
    """The profile holds no value for the metric."""
    NO_LABELS = "NoLabels"
    """Too few labelled rows, or rows of one class only."""


@dataclass(frozen=True)
class PerformanceResult:
    """The labelled performance of a window.

    Args:
        standing: against the baseline.
        metric: which metric.
        labelled_rows: rows whose true class is known.
        measurement: the metric with its interval; None when unknown.
        baseline: its value on the hold-out rows; None if the profile has none.
        signal: what the performance alarm makes of it.
        cause: why it is unknown; None otherwise.
        reason: the result in words.
    """

    standing: Standing
    metric: str
    labelled_rows: int
    measurement: Measurement | None
    baseline: float | None
    signal: Signal
    cause: Cause | None
    reason: str


def evaluate_performance(
    sample: Sample, *, metric: str, tolerance: float, min_samples: int = 500, significance: float = 0.001
) -> PerformanceResult:
    """Compare the labelled performance of a window with the baseline of its profile.

    Args:
        sample: what the window holds.
        metric: accuracy, precision, recall, f1 or auc.
        tolerance: loss that is tolerated.
        min_samples: labelled rows that are needed; never fewer than 100.
        significance: one minus the two-sided level of the interval.

    Raises:
        ValueError: no such metric.
    """
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}, got {metric!r}")
    profile, rows, needed = sample.profile, sample.labelled_rows, max(min_samples, ROWS_FLOOR)
    baseline = profile.metrics.get(metric)
    value = None if baseline is None else baseline.value

    def unknown(cause: Cause, reason: str) -> PerformanceResult:
        return PerformanceResult(Standing.UNKNOWN, metric, rows, None, value, Signal.UNKNOWN, cause, reason)

    if not profile.counts_labels or profile.score is None:
        what = "a regression" if profile.task == "regression" else "this model"
        return unknown(Cause.NOT_COUNTED, f"labels of {what} are not counted: it takes two classes and hold-out rows")
    if value is None:
        return unknown(Cause.NO_BASELINE, f"the profile holds no value for {metric}")
    if rows < needed:
        return unknown(Cause.NO_LABELS, f"{rows} labelled rows in the window, {needed} are needed")
    negatives, positives = sample.labels()
    first = profile.score.first_positive
    found = measure(negatives, positives, metric=metric, first_positive=first, confidence=1 - significance)
    if found is None:
        return unknown(Cause.NO_LABELS, f"{metric} is not defined: the labelled rows lack a class")
    lost = loss_detected(value, found, tolerance)
    return PerformanceResult(
        standing=Standing.LOST if lost else Standing.HELD,
        metric=metric,
        labelled_rows=rows,
        measurement=found,
        baseline=value,
        signal=_signal(lost, value - found.value, tolerance),
        cause=None,
        reason=f"{metric} {found.value:.3f} ({found.lower:.3f} to {found.upper:.3f}) of {rows} labelled rows, "
        f"baseline {value:.3f}, tolerated loss {tolerance:g}",
    )


def loss_detected(baseline: float, measurement: Measurement, tolerance: float) -> bool:
    """Whether the whole interval lies below the baseline by more than the tolerance."""
    return measurement.upper < baseline - tolerance


def _signal(lost: bool, loss: float, tolerance: float) -> Signal:
    """Raised by a proven loss, lowered once the loss itself is below 80 % of what is tolerated."""
    if lost:
        return Signal.RAISED
    return Signal.LOWERED if loss <= HYSTERESIS * tolerance else Signal.BETWEEN
