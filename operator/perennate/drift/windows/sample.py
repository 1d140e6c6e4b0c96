"""The content of a window at one time, the input of all evaluations."""

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
    """The content of a window at one time.

    Args:
        reference: the tables of the profile.
        sub_windows: the counts of the window.
        since, until: start and end of the observed time, in seconds since 1970.
        warm: whether the observed time is long enough for a verdict.
    """

    reference: ReferenceTables
    sub_windows: SubWindows
    since: float
    until: float
    warm: bool

    @property
    def layout(self) -> Layout:
        """The layout of the profile."""
        return self.reference.layout

    @property
    def profile(self) -> Profile:
        """The profile that was counted against."""
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
        """Sums over sub-windows from which design effects are estimated."""
        return self.sub_windows.bucket_moments

    @property
    def rows(self) -> int:
        """Number of counted rows."""
        return int(self.total[ROWS])

    @property
    def seen(self) -> int:
        """Number of received rows; more than counted if the pods count a sample."""
        return int(self.total[SEEN])

    def labels(self) -> tuple[Ints, Ints]:
        """Labelled rows of the negative and the positive class by score bin, (bins,) each; empty for other labels."""
        if not self.layout.label_rows:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        return self.total[self.layout.label(0)], self.total[self.layout.label(1)]

    def confusion(self) -> Ints:
        """Labelled rows by predicted and true class, (classes, classes); (0, 0) for other kinds of labels."""
        counts = self.total[self.layout.confusion]
        classes = math.isqrt(counts.size)
        return counts.reshape(classes, classes)

    def residual_bins(self) -> Ints:
        """Labelled rows of a regression by bin of prediction - truth, (bins,); empty for other kinds of labels."""
        return self.total[self.layout.residual]

    def residual_sums(self) -> Ints:
        """RESIDUAL_SUMS of the labelled rows of a regression, (5,); empty for other kinds of labels."""
        return self.total[self.layout.residual_sums]

    @property
    def labelled_rows(self) -> int:
        """Number of labelled rows."""
        return int(self.confusion().sum() + self.residual_bins().sum() + sum(rows.sum() for rows in self.labels()))

    def outcomes(self) -> Ints:
        """Labelled rows of each sub-window by outcome, (sub-windows, outcomes); no outcomes without labels.

        An outcome is a pair of predicted and true class, or a bin of prediction - truth. The design effect of metrics
        is estimated from their variation between sub-windows.
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
        """Labelled rows by the delay of their label, (8,), see DELAYS; empty if labels are not counted."""
        return self.total[self.layout.delays]
