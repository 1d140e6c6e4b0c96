"""Columns of many categories: no false alarms, and power against changes of rare levels.

`make test` draws few windows, `make test-full` many.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom, poisson

from perennate.drift import DriftVerdict, Evaluation, Window, build_profile, evaluate_drift
from tests.support.drift.makers import HOUR, START, Coded, generator, make_recorder

Shares: TypeAlias = npt.NDArray[np.float64]
SIZES = {
    "3,000 and 3,000": (3000, 3000),
    "600 and 3,000": (600, 3000),
    "3,000 and 600": (3000, 600),
    "300 and 20,000": (300, 20_000),
    "50,000 and 50,000": (50_000, 50_000),
}
"""Rows of the reference and of the window."""
SIGNIFICANCE = 0.001
LEVELS = (60, 100, 168, 300, 1000, 5000)
SKEWS = (0.0, 1.1, 2.0)
"""Exponents of Zipf's law; 0 makes all levels equally frequent."""


def zipf(levels: int, skew: float) -> Shares:
    """Shares of the levels."""
    weights = np.arange(1.0, levels + 1) ** -skew
    return np.asarray(weights / weights.sum())


def draw_rows(draw: np.random.Generator, rows: int, shares: Shares) -> Coded:
    """A column of independent rows."""
    return Coded([f"s{level:04d}" for level in range(shares.size)], draw.choice(shares.size, rows, p=shares))


def compare(draw: np.random.Generator, rows: tuple[int, int], before: Shares, after: Shares) -> Evaluation:
    """Evaluate a window against a reference with other shares of the same levels."""
    profile = build_profile({"x": draw_rows(draw, rows[0], before)}, task="regression")
    recorder, window = make_recorder(profile), Window(profile, length=HOUR, scrape_interval=HOUR)
    recorder.record({"x": draw_rows(draw, rows[1], after)})
    window.add(recorder.document(), pod="a", now=START + HOUR)
    return evaluate_drift(window.sample(START + HOUR))


def is_alarm(found: Evaluation) -> bool:
    """Whether there is any significant change, or a data fault."""
    return bool(found.faults) or found.features[0].verdict is not DriftVerdict.NONE


@pytest.mark.parametrize("rows", SIZES.values(), ids=SIZES)
def test_no_more_false_alarms_than_the_significance(rows: tuple[int, int], full: bool) -> None:
    """Over all numbers of levels, skews and sizes; the significance is 0.001, changes that are too small included."""
    runs = (20 if max(rows) > 20_000 else 200) if full else 2
    alarms = [
        is_alarm(compare(generator(1000 * levels + run), rows, zipf(levels, skew), zipf(levels, skew)))
        for levels in LEVELS
        for skew in SKEWS
        for run in range(runs)
    ]

    assert sum(alarms) <= poisson.ppf(0.9999, SIGNIFICANCE * len(alarms))


def test_levels_that_are_chosen_by_the_counted_rows_raise_false_alarms() -> None:
    """The kept half of 100 equally frequent levels would have 56 % of the reference and half of the window."""
    draw = generator(4)
    counts = np.bincount(draw.integers(0, 100, 3000), minlength=100)
    kept = np.sort(counts)[50:].sum()
    p = binom.sf(kept - 1, 3000, 0.5)

    assert kept / 3000 > 0.55
    assert p < SIGNIFICANCE


RARE = zipf(168, 0.0)
CHANGES: dict[str, tuple[Shares, Shares, str]] = {
    "a new level": (zipf(300, 1.1), np.append(0.95 * zipf(300, 1.1), 0.05), "other"),
    "a fifth of the levels is twice as frequent": (RARE, RARE * np.where(np.arange(168) < 34, 2.0, 0.747), ""),
    "a tenth of the levels vanishes": (RARE, RARE * np.where(np.arange(168) < 17, 0.0, 168 / 151), ""),
    "half of the kept levels vanish": (
        zipf(1000, 1.1),
        zipf(1000, 1.1) * ((np.arange(1000) > 99) | (np.arange(1000) < 20)),
        "",
    ),
    "the tail becomes heavier": (zipf(1000, 2.0), zipf(1000, 1.1), "other"),
    "all levels are new": (zipf(300, 1.1), np.append(np.zeros(300), zipf(300, 1.1)), "other"),
}


@pytest.mark.parametrize(("before", "after", "fault"), CHANGES.values(), ids=CHANGES)
def test_changes_of_rare_levels_are_found(before: Shares, after: Shares, fault: str) -> None:
    """In 3,000 rows against 3,000, in at least nine of ten windows."""
    before = np.append(before, np.zeros(after.size - before.size))
    found = [compare(generator(run), (3000, 3000), before / before.sum(), after / after.sum()) for run in range(10)]

    assert sum(map(is_alarm, found)) >= 9
    if fault:
        assert sum(any(item.check == fault for item in one.faults) for one in found) >= 9
