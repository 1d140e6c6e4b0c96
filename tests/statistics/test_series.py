"""Rows in the order of time that resemble their neighbours: no false alarms, and drift is still found."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.signal import lfilter

from perennate.drift import DriftVerdict, Evaluation, Profile, Recorder, Sample, Window, build_profile, evaluate_drift
from tests.support.drift.makers import generator

Series = npt.NDArray[np.float64]
ROWS, PARTS, HOUR = 3000, 12, 3600.0


def autoregressive(draw: np.random.Generator, correlation: float) -> Series:
    """A stationary series of standard normal values; neighbours have this correlation."""
    noise = draw.normal(size=ROWS + 500) * np.sqrt(1 - correlation**2)
    return np.asarray(lfilter([1.0], [1.0, -correlation], noise)[500:])


def in_parts(profile: Profile, values: Series) -> Sample:
    """The rows in sub-windows in the order of time."""
    recorder = Recorder(profile, model="m", version="v", start=0.0)
    window = Window(profile, length=PARTS * HOUR, scrape_interval=HOUR)
    for part, rows in enumerate(np.array_split(values, PARTS)):
        recorder.record({"x": rows})
        window.add(recorder.document(), pod="a", now=HOUR * (part + 0.5))
    return window.sample(PARTS * HOUR)


def compare(seed: int, correlation: float, *, series: bool, shift: float = 0.0, gaps: bool = False) -> Evaluation:
    """The evaluation of a window of an autocorrelated series against a reference."""
    draw = generator(seed)
    before, after = autoregressive(draw, correlation), autoregressive(draw, correlation) + shift
    if gaps:
        before[autoregressive(draw, correlation) > 1.6] = after[autoregressive(draw, correlation) > 1.6] = np.nan
    return evaluate_drift(in_parts(build_profile({"x": before}, task="regression"), after), series=series)


def is_alarm(found: Evaluation) -> bool:
    """Whether a feature drifted or has a fault."""
    return bool(found.faults) or found.features[0].verdict is not DriftVerdict.NONE


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9, 0.97])
def test_a_series_without_drift_raises_no_alarm(correlation: float, full: bool) -> None:
    """One in a thousand at most, whatever the correlation."""
    runs = 2000 if full else 100

    assert sum(is_alarm(compare(seed, correlation, series=True)) for seed in range(runs)) <= max(1, runs // 400)


def test_independent_training_rows_would_make_it_drift() -> None:
    """The design effect of the window alone is not enough: the reference tells as little."""
    assert sum(is_alarm(compare(seed, 0.97, series=False)) for seed in range(100)) >= 5


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_drift_of_a_series_is_found(correlation: float) -> None:
    assert compare(1, correlation, series=True, shift=1.0).verdict is DriftVerdict.DRIFTED


def test_gaps_of_a_series_are_no_fault() -> None:
    """The rows of a gap are as much alike as those with a value."""
    alarms = {
        series: sum(bool(compare(seed, 0.97, series=series, gaps=True).faults) for seed in range(60))
        for series in (True, False)
    }

    assert alarms[True] <= alarms[False] / 2
