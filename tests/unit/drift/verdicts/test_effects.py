"""Effect sizes: known values, and how close effects from counts are to those from the rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from perennate.drift.profile.build import build_profile
from perennate.drift.profile.features import NumericFeature
from perennate.drift.statistics.jensen_shannon import corrected_distance, divergence
from perennate.drift.statistics.kolmogorov import distance
from perennate.drift.verdicts.verdict import evaluate_drift
from tests.support.drift.makers import generator, make_sample, make_tables

TABLES = make_tables([1000.0] * 10, [30.0, 40, 45, 50, 50, 50, 55, 55, 60, 65])
ROWS = 50_000


def test_jensen_shannon_of_the_known_window() -> None:
    assert np.sqrt(divergence(TABLES)[0]) == pytest.approx(0.083988, abs=5e-7)
    assert corrected_distance(TABLES, np.ones(1))[0] == pytest.approx(0.060379, abs=5e-7)


def test_jensen_shannon_is_from_zero_to_one() -> None:
    """It is 1 for counts without a common cell, and 0 for equal shares."""
    assert divergence(make_tables([10.0, 0], [0.0, 7]))[0] == pytest.approx(1)
    assert divergence(make_tables([10.0, 30], [2.0, 6]))[0] == pytest.approx(0, abs=1e-15)


def test_distance_of_the_known_window() -> None:
    """It is the largest difference of the cumulative shares."""
    assert distance(TABLES)[0] == pytest.approx(0.07, abs=1e-12)


def normal(draw: np.random.Generator) -> np.ndarray:
    """A symmetric distribution."""
    return draw.normal(size=ROWS)


def skewed(draw: np.random.Generator) -> np.ndarray:
    """A distribution with a long tail."""
    return draw.lognormal(0, 1, ROWS)


def gamma(draw: np.random.Generator) -> np.ndarray:
    """A distribution with a minimum of 0."""
    return draw.gamma(2, size=ROWS)


CHANGES = {
    "normal, 0.2 standard deviations higher": (normal, lambda x: x + 0.2 * x.std()),
    "normal, one standard deviation lower": (normal, lambda x: x - x.std()),
    "normal, 25 % wider": (normal, lambda x: 1.25 * x),
    "lognormal, 0.2 standard deviations higher": (skewed, lambda x: x + 0.2 * x.std()),
    "lognormal, 20 % higher": (skewed, lambda x: 1.2 * x),
    "lognormal, doubled": (skewed, lambda x: 2 * x),
    "gamma, 20 % higher": (gamma, lambda x: 1.2 * x),
}


def test_wasserstein_of_a_very_long_tail() -> None:
    """If a few values dominate the sum, W1 from counts is within 0.5 to 1.4 times that of the rows."""
    draw = generator(3)
    training, window = draw.lognormal(0, 2, ROWS), 1.2 * draw.lognormal(0, 2, ROWS)
    found = evaluate_drift(make_sample(build_profile({"x": training}, task="regression"), {"x": window})).features[0]

    exact = stats.wasserstein_distance(training, window) / training.std()
    assert 0.5 * exact < found.statistics["wasserstein"] < 1.4 * exact


@pytest.mark.parametrize(("column", "change"), CHANGES.values(), ids=CHANGES)
def test_effects_from_counts_are_close_to_those_from_rows(
    column: Callable[[np.random.Generator], np.ndarray], change: Callable[[np.ndarray], np.ndarray]
) -> None:
    """W1 is within 7 % of the value from the rows, and the mean shift is exact to 0.1 %."""
    draw = generator(3)
    training = column(draw)
    window = change(column(draw))
    found = evaluate_drift(make_sample(build_profile({"x": training}, task="regression"), {"x": window})).features[0]

    exact = stats.wasserstein_distance(training, window) / training.std()
    assert found.statistics["wasserstein"] == pytest.approx(exact, rel=0.07)
    shift = abs(window.mean() - training.mean()) / training.std()
    assert found.statistics["meanShift"] == pytest.approx(shift, rel=1e-3)
    exact_d = stats.ks_2samp(training, window, method="asymp").statistic
    assert 0.9 * exact_d <= found.statistics["kolmogorovSmirnov"] <= exact_d + 1e-9


def test_wasserstein_of_values_far_above_training() -> None:
    """If the whole window is above the largest training value, the mean gives a lower bound of W1."""
    training = generator().normal(size=5000)
    found = evaluate_drift(make_sample(build_profile({"x": training}, task="regression"), {"x": training[:1000] + 50}))

    assert found.features[0].statistics["wasserstein"] == pytest.approx(50 / training.std(), rel=0.02)


def test_effects_that_are_not_defined_are_left_out() -> None:
    """Categories have no order, and a constant has no standard deviation."""
    draw = generator()
    columns = {"country": draw.choice(["de", "fr"], 1000), "same": np.full(1000, 3.0), "x": draw.normal(size=1000)}
    profile = build_profile(columns, task="regression")
    found = {item.name: set(item.statistics) for item in evaluate_drift(make_sample(profile, columns)).features}

    assert isinstance(profile.features[1], NumericFeature)
    assert found["country"] == {"psi", "jensenShannon"}
    assert found["same"] == {"psi", "jensenShannon", "kolmogorovSmirnov"}
    assert len(found["x"]) == 5
