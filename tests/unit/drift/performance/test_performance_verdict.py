"""When a metric is considered worse than its baseline."""

from __future__ import annotations

import pytest

from perennate.drift.metrics.measurement import Measurement
from perennate.drift.performance.verdict import describe_measurement, loss_detected, loss_of, signal_of
from perennate.drift.verdicts.persistence import Signal


def make_measurement(metric: str, lower: float, value: float, upper: float) -> Measurement:
    """A metric with an interval."""
    return Measurement(metric, value, lower, upper, (upper - lower) / 4, 500)


@pytest.mark.parametrize(
    ("metric", "baseline", "interval", "tolerance", "lost"),
    {
        "a share with its upper end below baseline - tolerance": ("auc", 0.80, (0.66, 0.70, 0.74), 0.05, True),
        "a share with its upper end at baseline - tolerance": ("auc", 0.78, (0.66, 0.70, 0.74), 0.05, False),
        "a share that rose": ("macroF1", 0.60, (0.86, 0.90, 0.94), 0.05, False),
        "an error with its lower end above baseline + tolerance": ("mae", 30.0, (36.0, 40.0, 44.0), 5.0, True),
        "an error with its lower end at baseline + tolerance": ("mae", 31.0, (36.0, 40.0, 44.0), 5.0, False),
        "an error that fell": ("logLoss", 0.50, (0.1, 0.2, 0.3), 0.01, False),
        "a bias that is too high": ("bias", 1.0, (4.0, 5.0, 6.0), 2.5, True),
        "a bias that is too low, with a baseline above 0": ("bias", 1.0, (-6.0, -5.0, -4.0), 2.5, True),
        "a bias that only changed its sign": ("bias", 5.0, (-5.5, -5.0, -4.5), 0.1, False),
        "a bias with its interval partly within the tolerance": ("bias", -1.0, (3.4, 5.0, 6.0), 2.5, False),
        "a bias with an interval around 0": ("bias", 0.0, (-9.0, 5.0, 9.0), 0.1, False),
    }.values(),
)
def test_loss_needs_the_whole_interval_beyond_the_tolerance(
    metric: str, baseline: float, interval: tuple[float, float, float], tolerance: float, lost: bool
) -> None:
    """Below for shares, above for errors, further from 0 for a bias; the value alone is not enough."""
    assert loss_detected(baseline, make_measurement(metric, *interval), tolerance) is lost


@pytest.mark.parametrize(
    ("metric", "value", "half_width", "lost"),
    [("auc", 0.70, 0.03, True), ("auc", 0.70, 0.05, False), ("mae", 0.90, 0.03, True), ("bias", 0.90, 0.05, False)],
)
def test_loss_accounts_for_the_error_of_the_baseline(metric: str, value: float, half_width: float, lost: bool) -> None:
    """The errors .04 and .03 combine to .05, which is less than the loss of .1 minus the tolerance of .048."""
    found = make_measurement(metric, value - 0.04, value, value + 0.04)
    assert loss_detected(0.80, found, 0.048) is True
    assert loss_detected(0.80, found, 0.048, half_width) is lost


@pytest.mark.parametrize(("metric", "sign"), [("accuracy", 1), ("rmse", -1), ("brier", -1), ("bias", -1)])
@pytest.mark.parametrize(
    ("loss", "signal"), [(-1.0, Signal.LOWERED), (0.79, Signal.LOWERED), (0.81, Signal.BETWEEN), (2.0, Signal.RAISED)]
)
def test_signal_has_hysteresis(metric: str, sign: int, loss: float, signal: Signal) -> None:
    """Raised by a proven loss, lowered by a loss below 80 % of the tolerance, unchanged in between."""
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
def test_measurement_in_words(found: Measurement, words: str) -> None:
    """A share has three decimals; a value with a unit has four significant digits."""
    assert describe_measurement(found) == words
