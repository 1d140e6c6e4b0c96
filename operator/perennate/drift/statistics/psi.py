"""Population stability index: effect size that does not depend on the number of rows."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.statistics.shape import Shape
from perennate.drift.statistics.tables import ReferenceCounts, Tables

SMOOTHING = 0.5


class PsiGroups:
    """The groups of cells over which PSI is computed, k in each table: deciles of ordered features, or categories.

    They are computed once per profile, with all terms that do not depend on the window.

    Args:
        shape: shape of the groups.
        counts: rows of the reference, (groups,).
        rows: N of each table, (tables,).
        cuts: cells that start a group, (groups,), including groups that `without` removed.

    Attributes:
        shares: r = (R + 1/2) / (N + k/2), (groups,).
        logs: ln r, (groups,).
        padding: k / 2, (tables,).
    """

    def __init__(self, shape: Shape, counts: Floats, rows: Floats, cuts: Ints) -> None:
        self.shape, self.counts, self.rows, self.cuts = shape, counts, rows, cuts
        self.padding = SMOOTHING * shape.sizes
        self.shares = (counts + SMOOTHING) / shape.each(rows + self.padding)
        self.logs = np.log(self.shares)

    @classmethod
    def of(cls, reference_counts: ReferenceCounts, cuts: Ints) -> PsiGroups:
        """The groups that start at the cells `cuts`."""
        return cls(
            reference_counts.shape.joined(cuts),
            np.add.reduceat(reference_counts.counts, cuts),
            reference_counts.rows,
            cuts,
        )

    def without(self, empty: Bools) -> PsiGroups:
        """Remove empty groups, (groups,)."""
        return PsiGroups(self.shape.without(empty), self.counts[~empty], self.rows, self.cuts)


def stability_index(tables: Tables, groups: PsiGroups, design_effect: Floats) -> tuple[Floats, Floats]:
    """PSI, and PSI*, the index less its expectation without drift, (tables,) each.

    Over k groups, without those that are empty on both sides, with r = (R + 1/2) / (N + k/2) and c = (C + 1/2) / (M +
    k/2): PSI = sum (r - c) ln(r / c). Without drift, its mean is (k - 1)(1/N + 1/M) times the design effect (B.
    Yurdakul & J. Naranjo, J. Risk Model Validation 14, 2020); PSI* = PSI - phi (k - 1)(1/N + 1/M), which may be
    negative.

    Args:
        tables: counts before sparse cells are merged, with rows on both sides.
        groups: groups of these tables.
        design_effect: design effect of each table, (tables,).
    """
    counts = np.add.reduceat(tables.current, groups.cuts)
    empty = groups.counts + counts == 0
    if empty.any():
        groups, counts = groups.without(empty), counts[~empty]
    shape = groups.shape
    shares = (counts + SMOOTHING) / shape.each(tables.current_rows + groups.padding)
    index = shape.sum((groups.shares - shares) * (groups.logs - np.log(shares)))
    return index, index - design_effect * shape.degrees_of_freedom / tables.effective_sample_size
