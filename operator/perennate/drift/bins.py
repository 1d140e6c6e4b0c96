"""Where a feature is cut into bins, and which bin a value falls into.

Bins are closed on the right: value x falls into bin j = number of edges strictly below x, so bin j is (edge[j-1],
edge[j]]. Edges are observed values, so that a value that takes up much of the data gets a bin of its own.
"""

from __future__ import annotations

import numpy as np

from perennate.drift.arrays import Floats, Ints

MAX_VALUES = 20
"""Up to so many distinct values, every value has its own bin."""
MAX_CELLS = 10
"""Up to so many distinct values, PSI is taken over all of them instead of deciles."""
SHARES = np.concatenate(([0.01], np.arange(1, 20) / 20, [0.99]))
"""Quantiles at which a feature is cut: every 5 %, and 1 % and 99 % for the tails."""
DECILES = np.arange(1, 10) / 10
SCORE_BINS = 50


def cut_feature(values: Floats) -> tuple[Floats, Ints]:
    """Edges of a feature and the positions of those that are deciles.

    Args:
        values: finite values, (n,), n may be 0.

    Returns:
        edges, rising strictly and all below the largest value, and the positions in them of the cuts for PSI.
    """
    distinct = np.unique(values)
    if distinct.size <= MAX_VALUES:
        edges = distinct[:-1]
        positions = np.arange(edges.size) if distinct.size <= MAX_CELLS else decile_positions(values, edges)
        return edges, positions
    edges = np.unique(quantiles(values, SHARES))
    edges = edges[edges < distinct[-1]]
    return edges, decile_positions(values, edges)


def cut_score(scores: Floats, threshold: float | None) -> tuple[Floats, Ints]:
    """Edges of the score: 50 quantile bins, with the decision threshold (if any) as an edge of its own."""
    if scores.size == 0:
        edges = np.empty(0)
    else:
        edges = np.unique(quantiles(scores, np.arange(1, SCORE_BINS) / SCORE_BINS))
        edges = edges[edges < scores.max()]
    if threshold is not None:
        edges = np.unique(np.append(edges, threshold))
    return edges, decile_positions(scores, edges)


def quantiles(values: Floats, shares: Floats) -> Floats:
    """Quantiles that are observed values (inverse of the empirical distribution function)."""
    return np.asarray(np.quantile(values, shares, method="inverted_cdf"), dtype=np.float64)


def decile_positions(values: Floats, edges: Floats) -> Ints:
    """Positions of the edges that equal a 10 % ... 90 % quantile; all of them if none does.

    None does when more than nine tenths of the rows share the largest value; PSI over a single cell would be blind.
    """
    if edges.size == 0 or values.size == 0:
        return np.arange(edges.size, dtype=np.int64)
    positions = np.flatnonzero(np.isin(edges, quantiles(values, DECILES)))
    return positions if positions.size else np.arange(edges.size, dtype=np.int64)


def bin_of(edges: Floats, values: Floats) -> Ints:
    """Bin of each value: the number of edges strictly below it. NaN must have been taken out before."""
    return np.searchsorted(edges, values, side="left").astype(np.int64)
