"""Choose the edges of bins, and find the bin of a value.

Bins are closed on the right: bin j is (edge[j-1], edge[j]]. Edges are observed values, so a value with a large share of
the rows has a bin of its own. Values within a tolerance of an edge count as equal to it, see tolerance.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.profile.tolerance import TOLERANCE, slack, without_near_duplicates

MAX_VALUES = 20
"""Up to this many distinct values, every value has its own bin."""
MAX_CELLS = 10
"""Up to this many distinct values, PSI is computed over the values instead of deciles."""
PERCENTS = (1, *range(5, 100, 5), 99)
"""Quantiles that are edges of a feature: every 5 %, and 1 % and 99 % for the tails."""
DECILES = tuple(range(10, 100, 10))
SCORE_PERCENTS = tuple(range(2, 100, 2))
ATOM_SHARE, ATOMS_SHARE = 0.1, 0.5
"""A value with at least a tenth of the rows is frequent. Frequent values matter if they have half of all rows: then
there are too few rows with other values to change PSI noticeably, and these rows are compared on their own."""
MIN_REST = 20
"""Rows with other values that such a comparison needs."""


@dataclass(frozen=True, eq=False)
class Cut:
    """The bins of a column.

    Args:
        edges: upper ends of all bins but the last, strictly increasing and below the largest value.
        decile: positions in `edges` of the edges between PSI groups.
        atoms: positions of the bins that hold one frequent value; empty if these values have less than half of the
            rows.
    """

    edges: Floats
    decile: Ints
    atoms: Ints


def cut_feature(ordered: Floats, *, tolerance: float = TOLERANCE) -> Cut:
    """Choose the bins of a feature.

    Args:
        ordered: finite values in ascending order, (n,); n may be 0.
        tolerance: relative tolerance of the edges.
    """
    distinct = first_distinct(ordered, MAX_VALUES + 1)
    if distinct.size <= MAX_VALUES:
        edges = without_near_duplicates(distinct, tolerance)[:-1]
        decile = np.arange(edges.size) if edges.size < MAX_CELLS else decile_positions(ordered, edges, tolerance)
        return Cut(edges, decile, _frequent_bins(ordered, edges, tolerance))
    frequent = _frequent_values(ordered, tolerance)
    wanted = [quantiles(_without(ordered, frequent), PERCENTS)]
    # A bin of its own for each frequent value: from the largest value below it to itself.
    wanted += [ordered[[first - 1, end - 1]] if first else ordered[[end - 1]] for first, end in frequent]
    points = np.unique(np.concatenate([*wanted, ordered[[0, -1]]]))
    edges = without_near_duplicates(points, tolerance)[:-1]
    # The smallest value is a point, but an edge only if it is a quantile.
    if edges.size and not np.isin(edges[0], np.concatenate(wanted)):
        edges = edges[1:]
    atoms = _frequent_bins(ordered, edges, tolerance) if frequent else np.arange(0)
    return Cut(edges, decile_positions(ordered, edges, tolerance), atoms)


def cut_score(scores: Floats, threshold: float | None, *, tolerance: float = TOLERANCE) -> tuple[Floats, Ints]:
    """Choose the edges of the score from at least one row: 50 quantile bins, and the decision threshold as an edge.

    Returns:
        edges, strictly increasing, and the positions of the edges between PSI groups.
    """
    ordered = np.sort(scores)
    points = np.unique(np.append(quantiles(ordered, SCORE_PERCENTS), ordered[-1]))
    edges = without_near_duplicates(points, tolerance)[:-1]
    if threshold is not None:
        edges = np.unique(np.append(edges, threshold))
    return edges, decile_positions(ordered, edges, tolerance)


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


def decile_positions(ordered: Floats, edges: Floats, tolerance: float) -> Ints:
    """Positions of the upper edges of the bins of the 10 % ... 90 % quantiles; of all edges if there are none.

    There are none if more than nine tenths of the rows have the largest value. PSI over a single group is always 0.
    """
    if edges.size == 0:
        return np.arange(0, dtype=np.int64)
    borders = upper_borders(edges, float(ordered[0]), float(ordered[-1]), tolerance)
    positions = np.unique(bin_of(borders, quantiles(ordered, DECILES)))
    positions = positions[positions < edges.size]
    return positions if positions.size else np.arange(edges.size, dtype=np.int64)


def bin_of(borders: Floats, values: Floats) -> Ints:
    """Bin of each value: the number of borders strictly below it. Values must not be NaN."""
    return np.searchsorted(borders, values, side="left").astype(np.int64)


def upper_borders(edges: Floats, low: float, high: float, tolerance: float) -> Floats:
    """The edges with their tolerance, (edges,): the largest values that count as equal to each."""
    return edges + slack(np.concatenate(([low], edges, [high])), tolerance)[1:-1] if tolerance else edges


def _frequent_values(ordered: Floats, tolerance: float) -> list[tuple[int, int]]:
    """First and end position of each frequent value; none unless they have half of the rows and leave some others."""
    found: list[tuple[int, int]] = []
    for value in np.unique(quantiles(ordered, PERCENTS)).tolist():
        near = tolerance * abs(value)
        first, end = ordered.searchsorted(value - near, "left"), ordered.searchsorted(value + near, "right")
        if end - first >= ATOM_SHARE * ordered.size and (not found or first >= found[-1][1]):
            found.append((int(first), int(end)))
    return found if _matter(sum(end - first for first, end in found), ordered.size) else []


def _without(ordered: Floats, frequent: list[tuple[int, int]]) -> Floats:
    """The values at all other positions, ascending."""
    if not frequent:
        return ordered
    ends = [0, *(end for _, end in frequent)]
    firsts = [*(first for first, _ in frequent), ordered.size]
    return np.concatenate([ordered[end:first] for end, first in zip(ends, firsts, strict=True)])


def _frequent_bins(ordered: Floats, edges: Floats, tolerance: float) -> Ints:
    """The bins that hold one frequent value, if these have half of the rows and leave at least two others."""
    none = np.arange(0, dtype=np.int64)
    if edges.size < 2:
        return none
    borders = upper_borders(edges, float(ordered[0]), float(ordered[-1]), tolerance)
    ends = np.append(ordered.searchsorted(borders, side="right"), ordered.size)
    starts = np.append(0, ends[:-1])
    single = (ends > starts) & np.array(
        [
            end > start and ordered[end - 1] - ordered[start] <= 2 * tolerance * abs(ordered[end - 1])
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]
    )
    found = np.flatnonzero(single & (ends - starts >= ATOM_SHARE * ordered.size))
    enough = found.size <= edges.size - 1 and _matter(int((ends - starts)[found].sum()), ordered.size)
    return found if found.size and enough else none


def _matter(rows: int, total: int) -> bool:
    return rows >= ATOMS_SHARE * total and total - rows >= MIN_REST
