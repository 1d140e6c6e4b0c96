"""Statistics of the numbers of current files, for people. Verdicts use the counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from perennate.drift.data.hashing import SPACE, row_hashes
from perennate.drift.profile.features import NumericFeature
from perennate.report.document import Summary
from perennate.tabular.values import Values

MOST_ROWS = 10_000
"""Rows of the sample from which quantiles are computed."""
MOST_VALUES = 4_000_000
"""Values of the sample; with many columns it has fewer rows."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
Floats = npt.NDArray[np.float64]


class NumberStatistics:
    """Mean, ends and quantiles of columns of numbers or dates.

    Quantiles are exact up to `MOST_ROWS` rows, then those of a uniform and deterministic sample.

    Args:
        readers: function by name of the column that converts its values to floats, NaN for everything else.
    """

    def __init__(self, readers: Mapping[str, Callable[[Any], Floats]]) -> None:
        self._readers = readers
        self._names = list(readers)
        self._limit = max(1, min(MOST_ROWS, MOST_VALUES // max(len(self._names), 1)))
        self._rows, self._bound = 0, SPACE
        self._counts, self._means = np.zeros(len(self._names)), np.zeros(len(self._names))
        self._lows, self._highs = np.full(len(self._names), np.inf), np.full(len(self._names), -np.inf)
        self._hashes = np.zeros(0, dtype=np.uint64)
        self._sample = np.zeros((len(self._names), 0))

    def add(self, columns: Mapping[str, Any], rows: int) -> None:
        """Add rows.

        Args:
            columns: values by column.
            rows: number of rows.
        """
        hashes = row_hashes(self._rows, rows)
        chosen = np.arange(rows) if self._bound == SPACE else np.flatnonzero(hashes < np.uint64(self._bound))
        self._rows += rows
        drawn = np.empty((len(self._names), chosen.size))
        for index, name in enumerate(self._names):
            values = self._readers[name](columns[name])
            drawn[index] = values[chosen]
            self._describe(index, values[np.isfinite(values)])
        self._keep(hashes[chosen], drawn)

    def merge(self, other: NumberStatistics) -> None:
        """Add the rows of another file."""
        total = self._counts + other._counts
        weights = np.divide(other._counts, total, out=np.zeros_like(total), where=total > 0)
        with np.errstate(over="ignore", invalid="ignore"):
            self._means += (other._means - self._means) * weights
        self._counts = total
        self._lows, self._highs = np.minimum(self._lows, other._lows), np.maximum(self._highs, other._highs)
        self._rows += other._rows
        self._bound = min(self._bound, other._bound)
        self._keep(other._hashes, other._sample)

    def summaries(self) -> dict[str, Summary]:
        """The statistics by column; none of a column without a finite number."""
        return {name: self._summary(index) for index, name in enumerate(self._names) if self._counts[index]}

    def _describe(self, index: int, finite: Floats) -> None:
        """Add finite numbers of a column to its mean and ends."""
        if not finite.size:
            return
        self._counts[index] += finite.size
        with np.errstate(over="ignore", invalid="ignore"):
            self._means[index] += (finite.mean() - self._means[index]) * (finite.size / self._counts[index])
        self._lows[index] = min(self._lows[index], finite.min())
        self._highs[index] = max(self._highs[index], finite.max())

    def _keep(self, hashes: npt.NDArray[np.uint64], drawn: Floats) -> None:
        """Add rows to the sample, and halve it while it is too large."""
        self._hashes = np.concatenate((self._hashes, hashes))
        self._sample = np.concatenate((self._sample, drawn), axis=1)
        self._filter()
        while self._hashes.size > self._limit:
            self._bound //= 2
            self._filter()

    def _filter(self) -> None:
        """Drop the rows above the bound."""
        if self._bound < SPACE:
            kept = self._hashes < np.uint64(self._bound)
            self._hashes, self._sample = self._hashes[kept], self._sample[:, kept]

    def _summary(self, index: int) -> Summary:
        mean, drawn = float(self._means[index]), self._sample[index]
        drawn = drawn[np.isfinite(drawn)]
        found = np.quantile(drawn, QUANTILES, method="inverted_cdf").tolist() if drawn.size else [None] * len(QUANTILES)
        low, first, median, third, high = found
        return Summary(
            mean=mean if np.isfinite(mean) else None,
            minimum=float(self._lows[index]),
            quantile05=low,
            quantile25=first,
            median=median,
            quantile75=third,
            quantile95=high,
            maximum=float(self._highs[index]),
        )


def reader_of(feature: NumericFeature) -> Callable[[Any], Floats]:
    """How the values of a feature become floats: numbers, or dates in seconds."""
    return floats_or_nan if feature.measure is None else lambda values: feature.read(values)[0]


def floats_or_nan(values: Values) -> Floats:
    """Numbers with NaN for everything else, (rows,)."""
    if values.dtype.kind in "fiub":
        return values.astype(np.float64, copy=False)
    return np.array([value if isinstance(value, float) else np.nan for value in values.tolist()], dtype=np.float64)
