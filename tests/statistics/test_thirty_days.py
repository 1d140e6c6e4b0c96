"""Thirty days of one model without drift, evaluated every five minutes: no alarm, so nothing to retrain for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from perennate.drift import Profile, Sample, Streak, Verdict, advance, build_profile, evaluate
from perennate.drift.features import NumericFeature
from perennate.drift.layout import HEAD, ROWS, Layout
from perennate.drift.reference import Reference
from perennate.drift.sub_windows import Sums

FEATURES, CORRELATION = 20, 0.5
STEPS, WINDOW = 30 * 288, 12
"""Steps of five minutes in thirty days and in the window."""


def rows_of(draw: np.random.Generator, rows: int, batch: int = 1) -> np.ndarray:
    """Correlated normal rows, (rows, features), in batches of near-identical ones."""
    count = rows // batch
    shared, own = draw.normal(size=(count, 1)), draw.normal(size=(count, FEATURES))
    values: np.ndarray = np.sqrt(CORRELATION) * shared + np.sqrt(1 - CORRELATION) * own
    if batch == 1:
        return values
    return np.asarray(np.repeat(values, batch, axis=0) + 0.05 * draw.normal(size=(rows, FEATURES)))


def counts_of(profile: Profile, values: np.ndarray) -> np.ndarray:
    """Cells of each step, (steps, cells), of rows, (steps, rows, features), counted as a pod does."""
    layout, (steps, rows, _) = Layout(profile), values.shape
    counts = np.zeros((steps, layout.size), dtype=np.int64)
    counts[:, ROWS] = counts[:, HEAD - 1] = rows
    for index, feature in enumerate(profile.features):
        assert isinstance(feature, NumericFeature)
        assert feature.minimum is not None
        assert feature.maximum is not None
        borders = np.concatenate(([np.nextafter(feature.minimum, -np.inf)], feature.edges, [feature.maximum]))
        cells = np.searchsorted(borders, values[:, :, index]) + layout.starts[index]
        for cell in range(layout.starts[index], layout.starts[index] + borders.size + 1):
            counts[:, cell] = (cells == cell).sum(axis=1)
    return counts


@dataclass(frozen=True)
class Month:
    """What thirty days of evaluations came to."""

    episodes: int
    verdicts: dict[Verdict, int]


def thirty_days(rows: int, batch: int, seed: int) -> Month:
    """Evaluate a sliding hour of `rows` rows after each step."""
    draw = np.random.default_rng(seed)
    training = rows_of(draw, 10_000)
    profile = build_profile({f"f{index}": training[:, index] for index in range(FEATURES)}, task="regression")
    reference = Reference(Layout(profile))
    sums, streak, episodes = Sums(reference), Streak(), 0
    verdicts = dict.fromkeys(Verdict, 0)
    values = rows_of(draw, STEPS * rows // WINDOW, batch)
    counts = counts_of(profile, values.reshape(STEPS, rows // WINDOW, FEATURES))
    slots: dict[int, np.ndarray] = {}
    for step, cells in enumerate(counts):
        slots[step] = cells
        slots.pop(step - WINDOW, None)
        if len(slots) < WINDOW:
            continue
        sample = Sample(reference, sums.of(slots), since=0.0, until=300.0 * step, warm=True)
        found = evaluate(sample, min_samples=100)
        verdicts[found.verdict] += 1
        after = advance(streak, found.signal, consecutive=3)
        episodes, streak = episodes + (after.active and not streak.active), after
    return Month(episodes, verdicts)


RUNS = {"120 rows": (120, 1), "600 rows": (600, 1), "600 rows in batches of 10": (600, 10)}


@pytest.mark.parametrize(("rows", "batch"), RUNS.values(), ids=RUNS)
def test_no_episode_in_thirty_quiet_days(rows: int, batch: int) -> None:
    """8,600 looks at 20 features: no episode opens, and without one there is nothing to retrain for."""
    month = thirty_days(rows, batch, seed=rows + batch)

    assert month.verdicts[Verdict.UNKNOWN] == 0
    assert month.episodes == 0
    # One in a thousand looks, the significance; twice that of batches, whose design effect is an estimate itself.
    assert month.verdicts[Verdict.DRIFTED] <= STEPS * (0.001 if batch == 1 else 0.002)


def test_an_episode_would_be_seen() -> None:
    """The same evaluations do find three features that move by one standard deviation, within the hour."""
    draw = np.random.default_rng(3)
    training = rows_of(draw, 10_000)
    profile = build_profile({f"f{index}": training[:, index] for index in range(FEATURES)}, task="regression")
    reference = Reference(Layout(profile))
    values = rows_of(draw, 24 * 50).reshape(24, 50, FEATURES)
    values[12:, :, :3] += 1.0
    counts, streak = counts_of(profile, values), Streak()
    for step in range(12, 24):
        slots = {place: counts[place] for place in range(step - 11, step + 1)}
        sample = Sample(reference, Sums(reference).of(slots), since=0.0, until=300.0 * step, warm=True)
        streak = advance(streak, evaluate(sample).signal, consecutive=3)

    assert streak.active
