"""The counts that the tests compare: a pair of count vectors for each feature and for what the model answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from perennate.drift.arrays import Bools, Floats, Ints
from perennate.drift.parts import Parts
from perennate.drift.shape import Shape


@dataclass(frozen=True, eq=False)
class Tables:
    """Pairs of count vectors.

    Args:
        shape: where each table lies.
        reference, current: counts of training (score: hold-out) rows and of the window, (cells,).
        reference_rows, current_rows: N and M of each table, (tables,).
        parts: what the sub-windows of the window tell.
    """

    shape: Shape
    reference: Floats
    current: Floats
    reference_rows: Floats
    current_rows: Floats
    parts: Parts

    @cached_property
    def total(self) -> Floats:
        """R + C of each cell, (cells,)."""
        return self.reference + self.current

    @cached_property
    def share(self) -> Floats:
        """M / (N + M) of each table, (tables,)."""
        return self.current_rows / (self.reference_rows + self.current_rows)

    @cached_property
    def expected(self) -> Floats:
        """M (R + C) / (N + M): rows of the window expected in each cell if nothing changed, (cells,)."""
        return self.shape.each(self.share) * self.total

    @cached_property
    def least_expected(self) -> float:
        """No cell where anything was counted is expected to have less rows of the window."""
        return float(max(1.0, self.total.min()) * self.share.min())

    @cached_property
    def steps(self) -> Floats:
        """C / M - R / N of each cell, which are 0 in sum over a table, (cells,)."""
        each = self.shape.each
        return self.current * each(1 / self.current_rows) - self.reference * each(1 / self.reference_rows)

    @cached_property
    def terms(self) -> Floats:
        """(C / M - R / N)^2 / (R + C) of each cell, 0 where nothing was counted, (cells,).

        Times N M this is (C - E)^2 / (E (1 - q)), with E the `expected` and q the `share`.
        """
        return self.steps * self.steps / np.maximum(self.total, 1.0)

    def only(self, chosen: Bools) -> Tables:
        """Some of the tables, (tables,)."""
        if chosen.all():
            return self
        kept = chosen[self.shape.owner]
        return Tables(
            self.shape.only(chosen),
            self.reference[kept],
            self.current[kept],
            self.reference_rows[chosen],
            self.current_rows[chosen],
            self.parts.only(chosen, kept),
        )

    def thinned(self, spread: Floats) -> Tables:
        """As many rows as they are worth: counts divided by the design effect of each table, (tables,)."""
        current = np.floor(self.current / self.shape.each(spread) + 0.5)
        return replace(self, current=current, current_rows=self.current_rows / spread)

    def joined(self, first: Ints) -> Tables:
        """Join neighbouring cells: a new cell begins only at the cells `first`, among them the start of every table."""
        shape = self.shape.joined(first)
        return Tables(
            shape,
            np.add.reduceat(self.reference, first),
            np.add.reduceat(self.current, first),
            self.reference_rows,
            self.current_rows,
            self.parts.joined(first, self.shape),
        )
