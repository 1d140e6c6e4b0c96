"""Pairs of count vectors, reference and window, of all features and outputs."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.statistics.moments import BucketMoments
from perennate.drift.statistics.shape import Shape

TINY = 1e-300
"""Replaces 0 rows in denominators."""


class ReferenceCounts:
    """The reference side of tables, computed once per profile.

    Args:
        shape: shape of the tables.
        counts: training (score: hold-out) rows, (cells,).

    Attributes:
        rows: N of each table, (tables,).
        shares: R / N, (cells,).
    """

    def __init__(self, shape: Shape, counts: Floats) -> None:
        self.shape = shape
        self.counts = counts
        self.rows = shape.sum(counts)
        self.shares = counts / shape.each(np.maximum(self.rows, TINY))

    def only(self, chosen: Bools) -> ReferenceCounts:
        """Select tables, (tables,)."""
        return ReferenceCounts(self.shape.only(chosen), self.counts[chosen[self.shape.owner]])

    def deflated(self, design_effect: Floats) -> ReferenceCounts:
        """Divide the counts by the design effect of each table, (tables,)."""
        return ReferenceCounts(self.shape, self.counts / self.shape.each(design_effect))

    def joined(self, first: Ints) -> ReferenceCounts:
        """Merge neighbouring cells: a new cell starts only at the cells `first`, which include all starts."""
        return ReferenceCounts(self.shape.joined(first), np.add.reduceat(self.counts, first))


class Tables:
    """Pairs of count vectors.

    Args:
        reference_counts: the reference side.
        current: counts of the window, (cells,).
        current_rows: M of each table, (tables,).
        bucket_moments: sums over the sub-windows of the window.

    Attributes:
        shape: shape of the tables.
        reference: counts of the reference, (cells,).
        reference_rows: N of each table, (tables,).
        total: R + C, (cells,).
        share: M / (N + M), (tables,).
        effective_sample_size: N M / (N + M) of the comparison of two samples, (tables,).
        product: N M, (tables,).
        steps: C / M - R / N, (cells,); they add up to 0 in each table.
        terms: (C / M - R / N)^2 / (R + C), 0 for empty cells, (cells,). Times N M this is (C - E)^2 / (E (1 - q)) with
            the expected rows E and q = `share`.
    """

    def __init__(
        self, reference_counts: ReferenceCounts, current: Floats, current_rows: Floats, bucket_moments: BucketMoments
    ) -> None:
        self.reference_counts, self.current, self.current_rows, self.bucket_moments = (
            reference_counts,
            current,
            current_rows,
            bucket_moments,
        )
        shape = self.shape = reference_counts.shape
        self.reference = reference_counts.counts
        self.reference_rows = rows = reference_counts.rows
        filled = np.maximum(current_rows, TINY)
        self.total = total = reference_counts.counts + current
        self.share = share = filled / (rows + filled)
        self.effective_sample_size = rows * share
        self.product = rows * filled
        self.steps = steps = current / shape.each(filled) - reference_counts.shares
        self.terms = steps * steps / np.maximum(total, 1.0)

    def expected(self) -> Floats:
        """min(N, M) (R + C) / (N + M): expected rows of the smaller side without drift, (cells,)."""
        return self.shape.each(np.minimum(self.share, 1 - self.share)) * self.total

    def only(self, chosen: Bools) -> Tables:
        """Select tables, (tables,)."""
        if chosen.all():
            return self
        kept = chosen[self.shape.owner]
        reference_counts = self.reference_counts.only(chosen)
        return Tables(
            reference_counts, self.current[kept], self.current_rows[chosen], self.bucket_moments.only(chosen, kept)
        )

    def with_reference(self, reference_counts: ReferenceCounts) -> Tables:
        """Replace the reference side."""
        return Tables(reference_counts, self.current, self.current_rows, self.bucket_moments)

    def deflated(self, design_effect: Floats) -> Tables:
        """Divide the counts of the window by the design effect of each table, (tables,)."""
        current = np.floor(self.current / self.shape.each(design_effect) + 0.5)
        return Tables(self.reference_counts, current, self.current_rows / design_effect, self.bucket_moments)

    def joined(self, first: Ints) -> Tables:
        """Merge neighbouring cells: a new cell starts only at the cells `first`, which include all starts."""
        current = np.add.reduceat(self.current, first)
        return Tables(
            self.reference_counts.joined(first),
            current,
            self.current_rows,
            self.bucket_moments.joined(first, self.shape),
        )
