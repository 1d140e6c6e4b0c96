"""Label coverage and delay: for which share of rows labels arrive, and after which time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perennate.drift.data.arrays import Ints
from perennate.drift.profile.layout import DELAYS
from perennate.drift.windows.sample import Sample

_LENGTHS = ("1 min", "10 min", "1 h", "6 h", "1 d", "7 d", "30 d")
"""Texts of DELAYS for messages."""


@dataclass(frozen=True)
class LabelFlow:
    """Coverage and delay of the labels that arrived within the window.

    Args:
        coverage: arrived labels / received rows; None without rows. Labels of earlier rows count too, so it exceeds 1
            while a backlog of labels arrives.
        delay: median seconds from prediction to label, rounded up to one of DELAYS; None if it is longer than all of
            them, or without labels.
        reason: both in words.
    """

    coverage: float | None
    delay: float | None
    reason: str


def label_flow(sample: Sample) -> LabelFlow:
    """Coverage and median delay of the labels in a window."""
    labelled, rows, delays = sample.labelled_rows, sample.seen, sample.label_delays()
    coverage = labelled / rows if rows else None
    position = median_bin(delays)
    coverage_text = "no labels received" if not labelled else f"labels for {_percent(coverage)} of rows"
    if position is None:
        return LabelFlow(coverage, None, coverage_text)
    if position == len(DELAYS):
        return LabelFlow(coverage, None, f"{coverage_text}, half of them after more than {_LENGTHS[-1]}")
    return LabelFlow(coverage, DELAYS[position], f"{coverage_text}, half of them within {_LENGTHS[position]}")


def median_bin(counts: Ints) -> int | None:
    """The bin of the median row; None without rows."""
    total = int(counts.sum())
    return int(np.searchsorted(np.cumsum(counts), (total + 1) // 2, side="left")) if total else None


def _percent(share: float | None) -> str:
    """Format a share in per cent, with two significant digits below 10 %."""
    if share is None:
        return "an unknown share"
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"
