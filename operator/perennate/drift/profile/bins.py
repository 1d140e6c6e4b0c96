"""Where a feature is cut into bins, and which bin a value falls into.

Bins are closed on the right: value x falls into bin j = number of edges strictly below x, so bin j is (edge[j-1],
edge[j]]. Edges are observed values, so that a value that takes up much of the data gets a bin of its own.
"""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Floats, Ints

MAX_VALUES = 20
"""Up to so many distinct values, every value has its own bin."""
MAX_CELLS = 10
"""Up to so many distinct values, PSI is taken over all of them instead of deciles."""
PERCENTS = (1, *range(5, 100, 5), 99)
"""Quantiles at which a feature is cut: every 5 %, and 1 % and 99 % for the tails."""
DECILES = tuple(range(10, 100, 10))
SCORE_PERCENTS = tuple(range(2, 100, 2))


def cut_feature(ordered: Floats) -> tuple[Floats, Ints]:
    """Edges of a feature and the positions of those that are deciles.

    Args:
        ordered: finite values in rising order, (n,), n may be 0.

    Returns:
        edges, rising strictly and all below the largest value, and the positions in them of the cuts for PSI.
    """
    distinct = first_distinct(ordered, MAX_VALUES + 1)
    if distinct.size <= MAX_VALUES:
        edges = distinct[:-1]
        positions = np.arange(edges.size) if distinct.size <= MAX_CELLS else decile_positions(ordered, edges)
        return edges, positions
    edges = np.unique(quantiles(ordered, PERCENTS))
    edges = edges[edges < ordered[-1]]
    return edges, decile_positions(ordered, edges)


def cut_score(scores: Floats, threshold: float | None) -> tuple[Floats, Ints]:
    """Edges of the score, one row or more: 50 quantile bins, with the decision threshold as an edge of its own."""
    ordered = np.sort(scores)
    edges = np.unique(quantiles(ordered, SCORE_PERCENTS))
    edges = edges[edges < ordered[-1]]
    if threshold is not None:
        edges = np.unique(np.append(edges, threshold))
    return edges, decile_positions(ordered, edges)


def first_distinct(ordered: Floats, limit: int) -> Floats:
    """The least distinct values, at most `limit`, of values in rising order."""
    found: list[float] = []
    place = 0
    while place < ordered.size and len(found) < limit:
        found.append(ordered[place])
        place = int(np.searchsorted(ordered, found[-1], side="right"))
    return np.array(found, dtype=np.float64)


def quantiles(ordered: Floats, percents: tuple[int, ...]) -> Floats:
    """Quantiles that are observed values (inverse of the empirical distribution function) of values in rising order."""
    ranks = np.array([max(1, -(-percent * ordered.size // 100)) for percent in percents])
    return np.asarray(ordered[ranks - 1])


def decile_positions(ordered: Floats, edges: Floats) -> Ints:
    """Positions of the edges that equal a 10 % ... 90 % quantile; all of them if none does.

    None does when more than nine tenths of the rows share the largest value; PSI over a single cell would be blind.
    """
    if edges.size == 0:
        return np.arange(0, dtype=np.int64)
    positions = np.flatnonzero(np.isin(edges, quantiles(ordered, DECILES)))
    return positions if positions.size else np.arange(edges.size, dtype=np.int64)


def bin_of(edges: Floats, values: Floats) -> Ints:
    """Bin of each value: the number of edges strictly below it. NaN must have been taken out before."""
    return np.searchsorted(edges, values, side="left").astype(np.int64)
