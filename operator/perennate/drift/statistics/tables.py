"""The counts that the tests compare: a pair of count vectors for each feature and for what the model answers."""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.statistics.moments import BucketMoments
from perennate.drift.statistics.shape import Shape

TINY = 1e-300
"""Stands for no rows where they divide."""


class ReferenceCounts:
    """The reference side of some tables, with all that needs no window; it is kept from evaluation to evaluation.

    Args:
        shape: where each table lies.
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
        """Of some of the tables, (tables,)."""
        return ReferenceCounts(self.shape.only(chosen), self.counts[chosen[self.shape.owner]])

    def joined(self, first: Ints) -> ReferenceCounts:
        """After joining neighbouring cells: a new one begins only at the cells `first`, among them every start."""
        return ReferenceCounts(self.shape.joined(first), np.add.reduceat(self.counts, first))


class Tables:
    """Pairs of count vectors.

    What several tests need is worked out at once: all of it is used by every evaluation, and cached properties, with a
    lock each, take as long as the arithmetic.

    Args:
        known: the reference's side.
        current: counts of the window, (cells,).
        current_rows: M of each table, (tables,).
        parts: what the sub-windows of the window tell.

    Attributes:
        shape: where each table lies.
        reference: counts of the reference, (cells,).
        reference_rows: N of each table, (tables,).
        total: R + C, (cells,).
        share: M / (N + M), (tables,).
        worth: N M / (N + M), which plays the part of the number of rows where two samples are compared, (tables,).
        product: N M, (tables,).
        steps: C / M - R / N, which are 0 in sum over a table, (cells,).
        terms: (C / M - R / N)^2 / (R + C), 0 where nothing was counted, (cells,). Times N M this is
            (C - E)^2 / (E (1 - q)), with E the rows of the window expected in a cell and q the share.
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
        """M (R + C) / (N + M): rows of the window expected in each cell if nothing changed, (cells,)."""
        return self.shape.each(self.share) * self.total

    def only(self, chosen: Bools) -> Tables:
        """Some of the tables, (tables,)."""
        if chosen.all():
            return self
        kept = chosen[self.shape.owner]
        reference_counts = self.reference_counts.only(chosen)
        return Tables(
            reference_counts, self.current[kept], self.current_rows[chosen], self.bucket_moments.only(chosen, kept)
        )

    def deflated(self, design_effect: Floats) -> Tables:
        """As many rows as they are worth: counts divided by the design effect of each table, (tables,)."""
        current = np.floor(self.current / self.shape.each(design_effect) + 0.5)
        return Tables(self.reference_counts, current, self.current_rows / design_effect, self.bucket_moments)

    def joined(self, first: Ints) -> Tables:
        """Join neighbouring cells: a new cell begins only at the cells `first`, among them the start of every table."""
        current = np.add.reduceat(self.current, first)
        return Tables(
            self.reference_counts.joined(first),
            current,
            self.current_rows,
            self.bucket_moments.joined(first, self.shape),
        )
