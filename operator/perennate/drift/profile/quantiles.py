"""Encode 401 quantiles of a column in 401 bytes.

With linear interpolation inside bins, the Wasserstein distance of a skewed column is many times too large. So a profile
also holds the quantiles at 0, 1/400, ..., 1, each as its position between the two ends of its bin in steps of 1/255.
The bin of a quantile follows from the counts.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from perennate.drift.data.arrays import Floats, Ints

POINTS = 401
FULL = 255
"""The position of a quantile at the upper end of its bin."""

QuantilePositions: TypeAlias = npt.NDArray[np.uint8]


def encode_quantiles(ordered: Floats, edges: Floats, counts: Ints) -> QuantilePositions:
    """Encode the quantiles as positions in their bins, (401,); empty if there are no values.

    Args:
        ordered: values in ascending order, without NaN; infinities count as the smallest or largest finite value.
        edges: upper ends of all bins but the last, (bins - 1,).
        counts: values by bin, (bins,).
    """
    finite = ordered[ordered.searchsorted(-np.inf, side="right") : ordered.searchsorted(np.inf, side="left")]
    if finite.size == 0:
        return np.zeros(0, dtype=np.uint8)
    ranks, bins = _ranks(counts)
    lower, upper = _ends(edges, float(finite[0]), float(finite[-1]))
    values = np.clip(ordered[ranks - 1], finite[0], finite[-1])
    # Halves, because the width of a bin may exceed the largest float.
    width = (upper / 2 - lower / 2)[bins]
    share = np.divide(values / 2 - lower[bins] / 2, width, out=np.ones(POINTS), where=width > 0)
    return np.asarray(np.rint(np.clip(share, 0.0, 1.0) * FULL), dtype=np.uint8)


def decode_quantiles(
    quantile_positions: QuantilePositions, edges: Floats, counts: Ints, minimum: float, maximum: float
) -> Floats:
    """Decode the quantiles at `linspace(0, 1, 401)`, (401,), ascending; the inverse of `encode_quantiles`."""
    _, bins = _ranks(counts)
    lower, upper = _ends(edges, minimum, maximum)
    share = quantile_positions / FULL
    values = lower[bins] * (1 - share) + upper[bins] * share
    return np.maximum.accumulate(np.clip(values, lower[bins], upper[bins]))


def positions_rise(quantile_positions: QuantilePositions, counts: Ints) -> bool:
    """Whether the positions are ascending inside each bin."""
    _, bins = _ranks(counts)
    return not np.any((np.diff(bins) == 0) & (quantile_positions[1:] < quantile_positions[:-1]))


def _ranks(counts: Ints) -> tuple[Ints, Ints]:
    """Rank (from 1) among the sorted values and bin of each quantile, both (401,)."""
    ranks = _ranks_of(int(counts.sum()))
    return ranks, np.searchsorted(np.cumsum(counts), ranks, side="left").astype(np.int64)


def _ranks_of(total: int) -> Ints:
    """Rank of each quantile among `total` values, (401,)."""
    steps = POINTS - 1
    # Python integers, because total x 400 may exceed int64.
    return np.array([max(1, -(-step * total // steps)) for step in range(POINTS)], dtype=np.int64)


def _ends(edges: Floats, minimum: float, maximum: float) -> tuple[Floats, Floats]:
    """Lower and upper end of each bin; the threshold of a score may lie outside of the observed range."""
    first, last = (min(minimum, edges[0]), max(maximum, edges[-1])) if edges.size else (minimum, maximum)
    return np.append(first, edges), np.append(edges, last)
