"""Metrics with standard error and confidence interval."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from scipy.special import ndtri

from perennate.drift.metrics.wilson import wilson_interval


@dataclass(frozen=True)
class Measurement:
    """The value of a metric with its confidence interval.

    Args:
        metric: name of the metric.
        value: value of the metric.
        lower, upper: ends of its confidence interval.
        standard_error: standard error of the value.
        rows: rows from which it was computed.
    """

    metric: str
    value: float
    lower: float
    upper: float
    standard_error: float
    rows: int


class Statistic(Protocol):
    """A value with a standard error and a confidence interval."""

    @property
    def value(self) -> float:
        """The value."""

    @property
    def standard_error(self) -> float:
        """The standard error of the value."""

    def interval(self, confidence: float) -> tuple[float, float]:
        """The confidence interval at a two-sided level."""

    def deflated(self, effect: float) -> Statistic:
        """The same value with the effective sample size divided by a design effect, 1 or more."""


def identity(share: float) -> float:
    """Return the share itself."""
    return share


@dataclass(frozen=True)
class Share:
    """A metric from 0 to 1 that is an increasing function of a share, with Wilson's interval.

    Args:
        share: the share, from 0 to 1.
        rows: number of rows, or effective sample size, which may be fractional.
        turn: increasing function from the share to the metric.
        slope: derivative of `turn` at the share.
    """

    share: float
    rows: float
    turn: Callable[[float], float] = identity
    slope: float = 1.0

    @property
    def value(self) -> float:
        """The metric."""
        return self.turn(self.share)

    @property
    def standard_error(self) -> float:
        """By the delta method."""
        return self.slope * math.sqrt(self.share * (1 - self.share) / self.rows)

    def interval(self, confidence: float) -> tuple[float, float]:
        """Wilson's interval of the share, transformed."""
        lower, upper = wilson_interval(self.share, self.rows, confidence)
        return self.turn(lower), self.turn(upper)

    def deflated(self, effect: float) -> Share:
        """Divide the rows by the design effect."""
        return replace(self, rows=self.rows / effect)

    @classmethod
    def of_error(cls, value: float, standard_error: float, *, fallback: float) -> Share:
        """Make a share with the effective sample size that gives a known standard error.

        Args:
            value: from 0 to 1, except for rounding.
            standard_error: standard error of the value; 0 if all rows are equal.
            fallback: sample size to use if the standard error is 0; at least 1 is used.
        """
        value = min(max(value, 0.0), 1.0)
        rows = value * (1 - value) / standard_error**2 if standard_error > 0 else fallback
        return cls(value, max(rows, 1.0))


@dataclass(frozen=True)
class Size:
    """A mean of non-negative losses, or the root of one, with an interval that is symmetric in the logarithm.

    Losses are skewed to the right, and the standard error grows with the mean. So a normal interval misses mostly on
    one side, and can extend below 0. In the logarithm, with the standard error divided by the value (delta method), the
    sides are nearly even. Log loss of 100 rows with calibrated scores at 95 %: the normal interval misses 0.5 % and
    8.4 % on the two sides, this one 2.4 % and 5.0 %.
    """

    value: float
    standard_error: float

    def interval(self, confidence: float) -> tuple[float, float]:
        """The value divided and multiplied by exp(z * standard error / value)."""
        if self.value <= 0 or self.standard_error <= 0:
            return self.value, self.value
        factor = math.exp(min(_quantile(confidence) * self.standard_error / self.value, _LARGEST_EXPONENT))
        return self.value / factor, self.value * factor

    def deflated(self, effect: float) -> Size:
        """Multiply the standard error by the root of the design effect."""
        return replace(self, standard_error=self.standard_error * math.sqrt(effect))


@dataclass(frozen=True)
class Level:
    """A mean of values of either sign, with a normal interval."""

    value: float
    standard_error: float

    def interval(self, confidence: float) -> tuple[float, float]:
        """The value -+ z standard errors."""
        half = _quantile(confidence) * self.standard_error
        return self.value - half, self.value + half

    def deflated(self, effect: float) -> Level:
        """Multiply the standard error by the root of the design effect."""
        return replace(self, standard_error=self.standard_error * math.sqrt(effect))


_LARGEST_EXPONENT = 30.0
"""Bound of the exponent, so that the ends of a very wide interval are finite."""


def measurement(metric: str, statistic: Statistic, *, rows: int, confidence: float) -> Measurement:
    """Make the measurement of a statistic with its interval at a two-sided level."""
    lower, upper = statistic.interval(confidence)
    return Measurement(metric, statistic.value, lower, upper, statistic.standard_error, rows)


def _quantile(confidence: float) -> float:
    """The z of a two-sided normal interval."""
    return float(ndtri(0.5 + confidence / 2))
