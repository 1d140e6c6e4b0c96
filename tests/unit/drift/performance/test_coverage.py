"""Label coverage and label delay."""

from __future__ import annotations

import numpy as np
import pytest

from perennate.drift.performance.coverage import label_flow, median_bin
from perennate.drift.profile.layout import DELAYS
from tests.support.drift.makers import make_profile
from tests.support.drift.samples import make_sample

PROFILE = make_profile()


def some_labels(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """`rows` labelled rows in the first score bin."""
    assert PROFILE.score is not None
    counts = np.zeros(PROFILE.score.bins, dtype=np.int64)
    counts[0] = rows
    return counts, np.zeros_like(counts)


@pytest.mark.parametrize(
    ("rows", "labelled", "delays", "coverage", "delay", "words"),
    {
        "most within a minute": (200, 50, [30, 10, 5, 5, 0, 0, 0, 0], 0.25, 60.0, "25 %, within 1 min"),
        "exactly half": (100, 4, [0, 2, 0, 2, 0, 0, 0, 0], 0.04, 600.0, "4 %, within 10 min"),
        "weeks": (1000, 3, [1, 0, 0, 0, 0, 0, 2, 0], 0.003, 2_592_000.0, "0.3 %, within 30 d"),
        "longer than the last delay bin": (10, 3, [1, 0, 0, 0, 0, 0, 0, 2], 0.3, None, "30 %, after more than 30 d"),
        "a backlog": (10, 20, [0, 0, 0, 20, 0, 0, 0, 0], 2.0, 21_600.0, "200 %, within 6 h"),
        "unknown delays": (10, 5, [0] * 8, 0.5, None, "50 %"),
        "labels without rows": (0, 5, [0, 0, 0, 0, 5, 0, 0, 0], None, 86_400.0, "an unknown share, within 1 d"),
    }.values(),
)
def test_label_coverage_and_median_delay(
    rows: int, labelled: int, delays: list[int], coverage: float | None, delay: float | None, words: str
) -> None:
    """Coverage is labels divided by rows; the delay is the upper end of the median's bin."""
    found = label_flow(make_sample(PROFILE, rows=rows, labels=some_labels(labelled), delays=delays))

    assert (found.coverage, found.delay) == (coverage, delay)
    share, _, half = words.partition(",")
    assert found.reason == f"labels for {share} of rows" + (f", half of them{half}" if half else "")


def test_coverage_is_zero_without_labels() -> None:
    found = label_flow(make_sample(PROFILE, rows=5))

    assert (found.coverage, found.delay, found.reason) == (0.0, None, "no labels received")


@pytest.mark.parametrize("seed", range(5))
def test_median_bin_is_the_bin_of_the_middle_row(seed: int) -> None:
    """With an even number of rows, it is the lower of the two middle rows."""
    rows = np.sort(np.random.default_rng(seed).integers(0, len(DELAYS) + 1, 20 + seed))

    assert median_bin(np.bincount(rows, minlength=8)) == rows[(rows.size - 1) // 2]
