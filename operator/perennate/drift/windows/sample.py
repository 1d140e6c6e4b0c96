"""What a window holds at one moment: everything that an evaluation reads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from perennate.drift.data.arrays import Ints
from perennate.drift.profile.layout import ROWS, SEEN, Layout
from perennate.drift.profile.profile import Profile
from perennate.drift.statistics.moments import BucketMoments
from perennate.drift.windows.reference import ReferenceTables
from perennate.drift.windows.sub_windows import SubWindows


@dataclass(frozen=True, eq=False)
class Sample:
    """What a window holds at one moment.

    Args:
        reference: what the window is compared with.
        sub_windows: what was counted.
        since, until: what it spans, in seconds since 1970.
        warm: whether enough time was seen for a verdict.
    """

    reference: ReferenceTables
    sub_windows: SubWindows
    since: float
    until: float
    warm: bool

    @property
    def layout(self) -> Layout:
        """Where each cell lies."""
        return self.reference.layout

    @property
    def profile(self) -> Profile:
        """Reference that was counted against."""
        return self.layout.profile

    @property
    def counts(self) -> Ints:
        """Cells of each sub-window in the order of time, (sub-windows, cells)."""
        return self.sub_windows.counts

    @property
    def total(self) -> Ints:
        """Cells of the whole window, (cells,)."""
        return self.sub_windows.total

    @property
    def bucket_moments(self) -> BucketMoments:
        """What the sub-windows tell of how dependent the rows are."""
        return self.sub_windows.bucket_moments

    @property
    def rows(self) -> int:
        """Rows that were counted."""
        return int(self.total[ROWS])

    @property
    def seen(self) -> int:
        """Rows that came; more than were counted if the pods count a sample."""
        return int(self.total[SEEN])

    def labels(self) -> tuple[Ints, Ints]:
        """Labelled rows of the negative and the positive class by score bin; empty if labels are not so counted."""
        if not self.layout.label_rows:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        return self.total[self.layout.label(0)], self.total[self.layout.label(1)]

    def confusion(self) -> Ints:
        """Labelled rows by predicted (rows) and true class (columns); (0, 0) if labels are not so counted."""
        counts = self.total[self.layout.confusion]
        classes = math.isqrt(counts.size)
        return counts.reshape(classes, classes)

    def residual_bins(self) -> Ints:
        """Labelled rows of a regression by bin of prediction - truth, (bins,); empty if labels are not so counted."""
        return self.total[self.layout.residual]

    def residual_sums(self) -> Ints:
        """RESIDUAL_SUMS of the labelled rows of a regression, (5,); empty if labels are not so counted."""
        return self.total[self.layout.residual_sums]

    @property
    def labelled_rows(self) -> int:
        """Rows whose true class or value is known."""
        return int(self.confusion().sum() + self.residual_bins().sum() + sum(rows.sum() for rows in self.labels()))

    def outcomes(self) -> Ints:
        """Labelled rows of each sub-window by how they ended, (sub-windows, outcomes).

        Predicted and true class, or the bin of prediction - truth: what says whether rows that come together also end
        together. Without labels there are no outcomes.
        """
        layout, score, slots = self.layout, self.profile.score, self.sub_windows.slots
        start, stop = layout.label(0).start, layout.residual.stop
        counts = np.array([cells[start:stop] for cells in slots.values()], dtype=np.int64)
        counts = counts.reshape(len(slots), stop - start)
        if score is None or not layout.label_rows:
            return counts
        first, bins = score.first_positive, score.bins
        borders = pairwise((0, first, bins, bins + first, 2 * bins))
        return np.stack([counts[:, low:high].sum(axis=1) for low, high in borders], axis=1)

    def label_delays(self) -> Ints:
        """Labelled rows by the time that their label took, (8,), see DELAYS; empty if labels are not counted."""
        return self.total[self.layout.delays]
