"""Where each cell lies in the one vector that a pod counts in and the operator adds up.

A vector holds everything that only ever grows: rows, errors, the cells of every feature (below, bins, above, missing,
other), the score's bins, and the labels in each score bin. One vector per pod and per sub-window makes
differences, resets and sums single array operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from perennate.drift.arrays import Ints
from perennate.drift.features import Feature
from perennate.drift.profile import Profile

ROWS, ERRORS = 0, 1
HEAD = 2
"""Cells before the first feature: rows, errors."""
SPECIAL = ("below", "above", "missing", "other")
"""Cells of a feature besides its bins: `below` lies before them, the others behind them in this order."""
LABELS = ("0", "1")
"""Keys of the label counts: negative and positive class."""


@dataclass(frozen=True, eq=False)
class Layout:
    """The places of all cells of one profile.

    Args:
        profile: reference that is counted against.
    """

    profile: Profile

    @cached_property
    def starts(self) -> Ints:
        """First cell of each feature, and behind them the first cell after all features, (features + 1,)."""
        widths = [feature.bins + len(SPECIAL) for feature in self.profile.features]
        return np.cumsum([HEAD, *widths])

    @cached_property
    def score_bins(self) -> int:
        """Number of score bins; 0 without a score."""
        return self.profile.score.bins if self.profile.score is not None else 0

    @property
    def score_start(self) -> int:
        """First cell of the score."""
        return int(self.starts[-1])

    @cached_property
    def size(self) -> int:
        """Number of cells."""
        return self.score_start + self.score_bins * (1 + self.label_rows)

    @property
    def label_rows(self) -> int:
        """How many rows of score bins are kept for labels: one for each of two classes, else none."""
        return len(LABELS) if self.profile.counts_labels else 0

    @property
    def growing(self) -> slice:
        """All cells that only ever grow."""
        return slice(0, self.size)

    @cached_property
    def specials(self) -> Ints:
        """Cells below, above, missing and other of each feature, (4, features)."""
        bins = np.array([feature.bins for feature in self.profile.features], dtype=np.int64)
        offsets = np.stack((np.zeros_like(bins), bins + 1, bins + 2, bins + 3))
        return self.starts[:-1] + offsets

    def bins_of(self, index: int) -> slice:
        """Cells of the bins of one feature."""
        start = int(self.starts[index]) + 1
        return slice(start, start + self.profile.features[index].bins)

    @property
    def score(self) -> slice:
        """Cells of the score."""
        return slice(self.score_start, self.score_start + self.score_bins)

    def label(self, index: int) -> slice:
        """Cells of the rows labelled with the negative (0) or positive (1) class, by score bin."""
        start = self.score_start + self.score_bins * (1 + index)
        return slice(start, start + self.score_bins)

    @cached_property
    def reference(self) -> Ints:
        """The profile's own counts, (cells,); nothing of it lies below or above its own range."""
        cells = np.zeros(self.size, dtype=np.int64)
        cells[ROWS] = self.profile.rows
        for index, feature in enumerate(self.profile.features):
            cells[self.bins_of(index)] = feature.counts
            cells[self.specials[2:, index]] = feature.missing, feature.other
        if self.profile.score is not None:
            cells[self.score] = self.profile.score.counts
        return cells

    @cached_property
    def bin_slices(self) -> tuple[slice, ...]:
        """`bins_of` of every feature."""
        return tuple(self.bins_of(index) for index in range(len(self.features)))

    @property
    def features(self) -> tuple[Feature, ...]:
        """Features in their order."""
        return self.profile.features
