"""The layout of the vector of counts that pods fill and the operator adds up.

The vector holds counters, which never decrease: rows, errors, the cells of every feature (below, bins, above, missing,
other), score bins, predicted classes, labels, rows without a score, and true values. At its end it holds offsets, which
may decrease: for every numeric feature the sum of (value - training mean). With one vector per pod and sub-window,
differences, resets and sums are single array operations.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.profile.features import Feature, NumericFeature
from perennate.drift.profile.profile import Profile

ROWS, ERRORS, SEEN = 0, 1, 2
HEAD = 3
"""Cells before the first feature: counted rows, errors, and received rows (more than counted if they are sampled)."""
SPECIAL = ("below", "above", "missing", "other")
"""Cells of a feature besides its bins: `below` comes before the bins, the others after them in this order."""
LABELS = ("0", "1")
"""Keys of the label counts: the negative and the positive class."""
RESIDUAL_SUMS = ("rows", "positive", "negative", "squares", "quartic")
"""For a regression: labelled rows, sums of the positive and of the negative residuals (absolute values), and sums of
their second and fourth powers."""
DELAYS = (60.0, 600.0, 3600.0, 21_600.0, 86_400.0, 604_800.0, 2_592_000.0)
"""Upper ends, in seconds, of the first seven of eight bins for the delay from a prediction to its label."""
OFFSET_STEPS = 2**20
"""Steps per standard deviation: offsets are whole numbers of steps, so their sums do not depend on the order."""
MAX_OFFSET = 2**30
"""Largest offset of one row in steps, 1,024 standard deviations; an int64 holds the sum of eight billion of them."""


_DOCUMENT_BYTES = 4096
"""Most bytes of the field names and of the names of model and version in a counts document."""
_LISTS = 256
"""Most lists and brackets besides those of features and classes."""
_LINE_BYTES = 40
"""Most bytes of a number in it: 24 digits, a comma, the end of the line and an indentation of 12 spaces."""


@dataclass(frozen=True, eq=False)
class Layout:
    """The position of every cell for one profile.

    Args:
        profile: the profile that is counted against.
    """

    profile: Profile

    @cached_property
    def starts(self) -> Ints:
        """First cell of each feature, and the first cell after all features, (features + 1,)."""
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

    @property
    def score(self) -> slice:
        """Cells of the score."""
        return slice(self.score_start, self.score_start + self.score_bins)

    @cached_property
    def prediction(self) -> slice:
        """Cells of the predicted classes, in the order of the profile's classes; empty if the profile has none."""
        start = self.score.stop
        return slice(start, start + (0 if self.profile.prediction is None else len(self.profile.classes)))

    @property
    def label_rows(self) -> int:
        """Number of blocks of score bins for labels: 2 for a binary classifier, else 0."""
        return len(LABELS) if self.profile.label_kind == "scores" else 0

    def label(self, index: int) -> slice:
        """Cells of the rows labelled with the negative (0) or positive (1) class, by score bin."""
        start = self.prediction.stop + self.score_bins * index
        return slice(start, start + self.score_bins)

    @cached_property
    def confusion(self) -> slice:
        """Cells of the labelled rows by predicted class, then true class; empty for other kinds of labels."""
        start = self.prediction.stop + self.score_bins * self.label_rows
        return slice(start, start + (len(self.profile.classes) ** 2 if self.profile.label_kind == "classes" else 0))

    @cached_property
    def residual(self) -> slice:
        """Cells of the labelled rows by residual bin; empty unless labels are counted as residuals."""
        start = self.confusion.stop
        return slice(start, start + (0 if self.profile.residual is None else self.profile.residual.bins))

    @cached_property
    def residual_sums(self) -> slice:
        """Cells of RESIDUAL_SUMS; empty unless labels are counted as residuals."""
        start = self.residual.stop
        return slice(start, start + (0 if self.profile.residual is None else len(RESIDUAL_SUMS)))

    @cached_property
    def delays(self) -> slice:
        """Cells of the labelled rows by DELAYS; empty if labels are not counted."""
        start = self.residual_sums.stop
        return slice(start, start + (0 if self.profile.label_kind is None else len(DELAYS) + 1))

    @cached_property
    def unscored(self) -> slice:
        """The cell of the rows whose score is missing; empty if the profile does not know that of its own rows."""
        score, start = self.profile.score, self.delays.stop
        return slice(start, start + (0 if score is None or score.missing is None else 1))

    @cached_property
    def target(self) -> slice:
        """Cells of the true values, as those of a feature; empty if the profile has no target."""
        target, start = self.profile.target, self.unscored.stop
        return slice(start, start + (0 if target is None else target.bins + len(SPECIAL)))

    @cached_property
    def numeric(self) -> Ints:
        """Positions of the numeric features, (numeric features,)."""
        kept = [index for index, item in enumerate(self.features) if isinstance(item, NumericFeature)]
        return np.array(kept, dtype=np.int64)

    @cached_property
    def offsets(self) -> slice:
        """Cells of the offsets of the numeric features, sums of (value - mean) / sd * OFFSET_STEPS; may decrease."""
        return slice(self.target.stop, self.target.stop + self.numeric.size)

    @property
    def growing(self) -> slice:
        """All counters, which never decrease."""
        return slice(0, self.offsets.start)

    @cached_property
    def size(self) -> int:
        """Number of cells."""
        return int(self.offsets.stop)

    @cached_property
    def document_limit(self) -> int:
        """Most bytes of a counts document against this profile, with every number at its longest and indented."""
        # Per feature: its name, the brackets of its bins, sum, sumsq, and null for the offset of a category.
        lines = self.size + 6 * len(self.features) + 2 * len(self.profile.classes)
        return _DOCUMENT_BYTES + _LINE_BYTES * lines + len(json.dumps(self.names))

    def prepare(self) -> None:
        """Compute now what reading a counts document needs: with thousands of features, the first one takes long."""
        for name in ("document_limit", "list_limit", "specials", "bin_positions", "bin_counts", "numeric", "offsets"):
            getattr(self, name)
        _ = self.profile.digest

    @cached_property
    def list_limit(self) -> int:
        """Most opening brackets of a counts document against this profile, in its names too."""
        return _LISTS + len(self.features) + len(self.profile.classes) + json.dumps(self.names).count("[")

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

    @cached_property
    def reference(self) -> Ints:
        """The counts of the profile itself, (cells,); `below` and `above` are 0."""
        cells = np.zeros(self.size, dtype=np.int64)
        cells[[ROWS, SEEN]] = self.profile.rows
        for index, feature in enumerate(self.profile.features):
            cells[self.bins_of(index)] = feature.counts
            cells[self.specials[2:, index]] = feature.missing, feature.other
        if self.profile.score is not None:
            cells[self.score] = self.profile.score.counts
        if self.profile.prediction is not None:
            cells[self.prediction] = self.profile.prediction
        if self.profile.score is not None and self.profile.score.missing is not None:
            cells[self.unscored] = self.profile.score.missing
        if (target := self.profile.target) is not None:
            cells[self.target] = 0, *target.counts, 0, target.missing, target.other
        return cells

    @cached_property
    def described_rows(self) -> Ints:
        """Training rows that the counts of each feature describe, (features,)."""
        return np.array([feature.described_rows for feature in self.features], dtype=np.int64)

    @cached_property
    def bin_slices(self) -> tuple[slice, ...]:
        """`bins_of` of every feature."""
        return tuple(self.bins_of(index) for index in range(len(self.features)))

    @cached_property
    def bin_positions(self) -> Ints:
        """Cells of the bins of all features, one after the other."""
        return np.concatenate([np.arange(bins.start, bins.stop) for bins in self.bin_slices])

    @cached_property
    def bin_counts(self) -> list[int]:
        """Number of bins of each feature."""
        return [feature.bins for feature in self.features]

    @cached_property
    def names(self) -> list[str]:
        """Names of the features in their order."""
        return [feature.name for feature in self.features]

    @property
    def features(self) -> tuple[Feature, ...]:
        """Features in their order."""
        return self.profile.features

    @cached_property
    def means(self) -> Floats:
        """Training mean of each numeric feature, 0 if unknown, (numeric features,)."""
        return np.array([item.mean or 0.0 for item in self.features if isinstance(item, NumericFeature)])

    @cached_property
    def standard_deviations(self) -> Floats:
        """Training standard deviation of each numeric feature, 1 if it is 0 or unknown, (numeric features,)."""
        return np.array([item.sd or 1.0 for item in self.features if isinstance(item, NumericFeature)])
