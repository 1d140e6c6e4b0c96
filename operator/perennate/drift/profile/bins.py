"""Choose the edges of bins, and find the bin of a value.

Bins are closed on the right: the bin of x is the number of edges strictly below x, so bin j is (edge[j-1], edge[j]].
Edges are observed values, so a value with a large share of the rows has a bin of its own.
"""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Floats, Ints

MAX_VALUES = 20
"""Up to this many distinct values, every value has its own bin."""
MAX_CELLS = 10
"""Up to this many distinct values, PSI is computed over the values instead of deciles."""
PERCENTS = (1, *range(5, 100, 5), 99)
"""Quantiles that are edges of a feature: every 5 %, and 1 % and 99 % for the tails."""
DECILES = tuple(range(10, 100, 10))
SCORE_PERCENTS = tuple(range(2, 100, 2))


def cut_feature(ordered: Floats) -> tuple[Floats, Ints]:
    """Choose the edges of a feature.

    Args:
        ordered: finite values in ascending order, (n,); n may be 0.

    Returns:
        edges, strictly increasing and below the largest value, and the positions of the edges between PSI groups.
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
    """Choose the edges of the score from at least one row: 50 quantile bins, and the decision threshold as an edge."""
    ordered = np.sort(scores)
    edges = np.unique(quantiles(ordered, SCORE_PERCENTS))
    edges = edges[edges < ordered[-1]]
    if threshold is not None:
        edges = np.unique(np.append(edges, threshold))
    return edges, decile_positions(ordered, edges)


def first_distinct(ordered: Floats, limit: int) -> Floats:
    """The smallest distinct values, at most `limit`, of values in ascending order."""
    found: list[float] = []
    position = 0
    while position < ordered.size and len(found) < limit:
        found.append(ordered[position])
        position = int(np.searchsorted(ordered, found[-1], side="right"))
    return np.array(found, dtype=np.float64)


def quantiles(ordered: Floats, percents: tuple[int, ...]) -> Floats:
    """Quantiles of values in ascending order, by the inverse empirical distribution function: observed values."""
    ranks = np.array([max(1, -(-percent * ordered.size // 100)) for percent in percents])
    return np.asarray(ordered[ranks - 1])


def decile_positions(ordered: Floats, edges: Floats) -> Ints:
    """Positions of the edges that equal a 10 % ... 90 % quantile; of all edges if none does.

    None does if more than nine tenths of the rows have the largest value. PSI over a single group is always 0.
    """
    if edges.size == 0:
        return np.arange(0, dtype=np.int64)
    positions = np.flatnonzero(np.isin(edges, quantiles(ordered, DECILES)))
    return positions if positions.size else np.arange(edges.size, dtype=np.int64)


def bin_of(edges: Floats, values: Floats) -> Ints:
    """Bin of each value: the number of edges strictly below it. Values must not be NaN."""
    return np.searchsorted(edges, values, side="left").astype(np.int64)
