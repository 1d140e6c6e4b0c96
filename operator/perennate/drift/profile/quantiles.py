"""The shape of a column inside its bins: 401 quantiles in 401 bytes.

Straight lines inside bins make a Wasserstein distance many times too large for a skewed column. So a profile also
keeps the quantiles at 0, 1/400, ..., 1, each as its place between the two ends of its bin in steps of 1/255. Which bin
a quantile lies in follows from the counts.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from perennate.drift.data.arrays import Floats, Ints

POINTS = 401
FULL = 255
"""The place of a quantile that is the upper end of its bin."""

QuantilePositions: TypeAlias = npt.NDArray[np.uint8]


def encode_quantiles(ordered: Floats, edges: Floats, counts: Ints) -> QuantilePositions:
    """Where each quantile lies in its bin, (401,); empty if there are no values.

    Args:
        ordered: values in rising order, without NaN; infinities count for the least and the largest finite one.
        edges: upper ends of all bins but the last, (bins - 1,).
        counts: values by bin, (bins,).
    """
    finite = ordered[ordered.searchsorted(-np.inf, side="right") : ordered.searchsorted(np.inf, side="left")]
    if finite.size == 0:
        return np.zeros(0, dtype=np.uint8)
    ranks, bins = _ranks(counts)
    lower, upper = _ends(edges, float(finite[0]), float(finite[-1]))
    values = np.clip(ordered[ranks - 1], finite[0], finite[-1])
    # Halves, since the width of a bin may pass the largest number.
    width = (upper / 2 - lower / 2)[bins]
    share = np.divide(values / 2 - lower[bins] / 2, width, out=np.ones(POINTS), where=width > 0)
    return np.asarray(np.rint(np.clip(share, 0.0, 1.0) * FULL), dtype=np.uint8)


def decode_quantiles(
    quantile_positions: QuantilePositions, edges: Floats, counts: Ints, minimum: float, maximum: float
) -> Floats:
    """The quantiles at `linspace(0, 1, 401)`, (401,), rising; the inverse of `place_quantiles`."""
    _, bins = _ranks(counts)
    lower, upper = _ends(edges, minimum, maximum)
    share = quantile_positions / FULL
    values = lower[bins] * (1 - share) + upper[bins] * share
    return np.maximum.accumulate(np.clip(values, lower[bins], upper[bins]))


def positions_rise(quantile_positions: QuantilePositions, counts: Ints) -> bool:
    """Whether no quantile lies before the one before it in the same bin."""
    _, bins = _ranks(counts)
    return not np.any((np.diff(bins) == 0) & (quantile_positions[1:] < quantile_positions[:-1]))


def _ranks(counts: Ints) -> tuple[Ints, Ints]:
    """Rank among the sorted values, from 1, and bin of each quantile, both (401,)."""
    ranks = _ranks_of(int(counts.sum()))
    return ranks, np.searchsorted(np.cumsum(counts), ranks, side="left").astype(np.int64)


def _ranks_of(total: int) -> Ints:
    """Rank of each quantile among so many values; of a profile's columns most have equally many."""
    steps = POINTS - 1
    # Exact also where total x 400 passes an int64.
    return np.array([max(1, -(-step * total // steps)) for step in range(POINTS)], dtype=np.int64)


def _ends(edges: Floats, minimum: float, maximum: float) -> tuple[Floats, Floats]:
    """Lower and upper end of each bin; a score's threshold may lie outside of what was observed."""
    first, last = (min(minimum, edges[0]), max(maximum, edges[-1])) if edges.size else (minimum, maximum)
    return np.append(first, edges), np.append(edges, last)
