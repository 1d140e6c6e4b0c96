"""When a metric is called worse than its baseline."""

from __future__ import annotations

import pytest

from perennate.drift.metrics.measurement import Measurement
from perennate.drift.performance.verdict import in_words, loss_detected, loss_of, signal_of
from perennate.drift.verdicts.persistence import Signal


def make_measurement(metric: str, lower: float, value: float, upper: float) -> Measurement:
    """A metric with an interval."""
    return Measurement(metric, value, lower, upper, (upper - lower) / 4, 500)


@pytest.mark.parametrize(
    ("metric", "baseline", "interval", "tolerance", "lost"),
    {
        "a share whose top is below baseline - tolerance": ("auc", 0.80, (0.66, 0.70, 0.74), 0.05, True),
        "a share whose top reaches it": ("auc", 0.78, (0.66, 0.70, 0.74), 0.05, False),
        "a share that rose": ("macroF1", 0.60, (0.86, 0.90, 0.94), 0.05, False),
        "an error whose bottom is above baseline + tolerance": ("mae", 30.0, (36.0, 40.0, 44.0), 5.0, True),
        "an error whose bottom reaches it": ("mae", 31.0, (36.0, 40.0, 44.0), 5.0, False),
        "an error that fell": ("logLoss", 0.50, (0.1, 0.2, 0.3), 0.01, False),
        "a bias that is too high": ("bias", 1.0, (4.0, 5.0, 6.0), 2.5, True),
        "a bias that is too low, of a baseline above 0": ("bias", 1.0, (-6.0, -5.0, -4.0), 2.5, True),
        "a bias that changed its sign only": ("bias", 5.0, (-5.5, -5.0, -4.5), 0.1, False),
        "a bias whose interval reaches what is tolerated": ("bias", -1.0, (3.4, 5.0, 6.0), 2.5, False),
        "a bias that is anywhere around 0": ("bias", 0.0, (-9.0, 5.0, 9.0), 0.1, False),
    }.values(),
)
def test_the_whole_interval_must_be_worse(
    metric: str, baseline: float, interval: tuple[float, float, float], tolerance: float, lost: bool
) -> None:
    """Below for shares, above for errors, further from 0 for a bias; a value alone proves nothing."""
    assert loss_detected(baseline, make_measurement(metric, *interval), tolerance) is lost


@pytest.mark.parametrize(
    ("metric", "value", "spread", "lost"),
    [("auc", 0.70, 0.03, True), ("auc", 0.70, 0.05, False), ("mae", 0.90, 0.03, True), ("bias", 0.90, 0.05, False)],
)
def test_what_the_baseline_itself_may_be_off_by_counts_too(
    metric: str, value: float, spread: float, lost: bool
) -> None:
    """An interval of .04 and a spread of .03 allow .05 together, below a loss of .1 less .048 that is tolerated."""
    found = make_measurement(metric, value - 0.04, value, value + 0.04)
    assert loss_detected(0.80, found, 0.048) is True
    assert loss_detected(0.80, found, 0.048, spread) is lost


@pytest.mark.parametrize(("metric", "sign"), [("accuracy", 1), ("rmse", -1), ("brier", -1), ("bias", -1)])
@pytest.mark.parametrize(
    ("loss", "signal"), [(-1.0, Signal.LOWERED), (0.79, Signal.LOWERED), (0.81, Signal.BETWEEN), (2.0, Signal.RAISED)]
)
def test_signal(metric: str, sign: int, loss: float, signal: Signal) -> None:
    """Raised when proven, lowered once the loss is below 80 % of what is tolerated, in between left as it is."""
    value = 5.0 - sign * loss
    found = make_measurement(metric, value - 0.5, value, value + 0.5)

    assert loss_of(metric, 5.0, value) == pytest.approx(loss)
    assert signal_of(5.0, found, 1.0) is signal


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (make_measurement("auc", 0.381, 0.4119, 0.443), "auc 0.412 (0.381 to 0.443)"),
        (make_measurement("mae", 0.0012344, 0.001312, 123_456.0), "mae 0.001312 (0.001234 to 1.235e+05)"),
    ],
)
def test_in_words(found: Measurement, words: str) -> None:
    """A share has three decimals; what has a unit may be of any size."""
    assert in_words(found) == words
