"""The size of a change: known values, and how near counts come to what the rows themselves would give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from perennate.drift.profile.build import build_profile
from perennate.drift.profile.features import NumericFeature
from perennate.drift.statistics.jensen_shannon import corrected_distance, divergence
from perennate.drift.statistics.kolmogorov import distance
from perennate.drift.verdicts.verdict import evaluate
from tests.support.drift.makers import generator, make_sample, make_tables

TABLES = make_tables([1000.0] * 10, [30.0, 40, 45, 50, 50, 50, 55, 55, 60, 65])
ROWS = 50_000


def test_jensen_shannon_of_the_known_window() -> None:
    assert np.sqrt(divergence(TABLES)[0]) == pytest.approx(0.083988, abs=5e-7)
    assert corrected_distance(TABLES, np.ones(1))[0] == pytest.approx(0.060379, abs=5e-7)


def test_jensen_shannon_ends_at_one() -> None:
    """Counts that share no cell are as far apart as can be; equal shares not at all."""
    assert divergence(make_tables([10.0, 0], [0.0, 7]))[0] == pytest.approx(1)
    assert divergence(make_tables([10.0, 30], [2.0, 6]))[0] == pytest.approx(0, abs=1e-15)


def test_distance_of_the_known_window() -> None:
    """D is the largest difference of the cumulative shares."""
    assert distance(TABLES)[0] == pytest.approx(0.07, abs=1e-12)


def normal(draw: np.random.Generator) -> np.ndarray:
    """A symmetric column."""
    return draw.normal(size=ROWS)


def skewed(draw: np.random.Generator) -> np.ndarray:
    """A column with a long tail."""
    return draw.lognormal(0, 1, ROWS)


def gamma(draw: np.random.Generator) -> np.ndarray:
    """A column that begins at 0."""
    return draw.gamma(2, size=ROWS)


CHANGES = {
    "normal, 0.2 standard deviations up": (normal, lambda x: x + 0.2 * x.std()),
    "normal, a full one down": (normal, lambda x: x - x.std()),
    "normal, wider by a quarter": (normal, lambda x: 1.25 * x),
    "lognormal, 0.2 standard deviations up": (skewed, lambda x: x + 0.2 * x.std()),
    "lognormal, a fifth more": (skewed, lambda x: 1.2 * x),
    "lognormal, double": (skewed, lambda x: 2 * x),
    "gamma, a fifth more": (gamma, lambda x: 1.2 * x),
}


def test_wasserstein_of_a_column_that_is_all_tail() -> None:
    """Where a few values make the sum, W1 from counts is within 0.5 to 1.4 times that of the rows: the worst known."""
    draw = generator(3)
    training, window = draw.lognormal(0, 2, ROWS), 1.2 * draw.lognormal(0, 2, ROWS)
    found = evaluate(make_sample(build_profile({"x": training}, task="regression"), {"x": window})).features[0]

    exact = stats.wasserstein_distance(training, window) / training.std()
    assert 0.5 * exact < found.statistics["wasserstein"] < 1.4 * exact


@pytest.mark.parametrize(("column", "change"), CHANGES.values(), ids=CHANGES)
def test_wasserstein_next_to_the_rows(
    column: Callable[[np.random.Generator], np.ndarray], change: Callable[[np.ndarray], np.ndarray]
) -> None:
    """From counts and the stored quantiles W1 is 0.93 to 1.05 times that of the rows, and the mean shift exact."""
    draw = generator(3)
    training = column(draw)
    window = change(column(draw))
    found = evaluate(make_sample(build_profile({"x": training}, task="regression"), {"x": window})).features[0]

    exact = stats.wasserstein_distance(training, window) / training.std()
    assert found.statistics["wasserstein"] == pytest.approx(exact, rel=0.07)
    shift = abs(window.mean() - training.mean()) / training.std()
    assert found.statistics["meanShift"] == pytest.approx(shift, rel=1e-3)
    exact_d = stats.ks_2samp(training, window, method="asymp").statistic
    assert 0.9 * exact_d <= found.statistics["kolmogorovSmirnov"] <= exact_d + 1e-9


def test_values_outside_of_training_are_as_far_as_they_are() -> None:
    """All of a window far above the largest training value: the mean bounds W1 from below."""
    training = generator().normal(size=5000)
    found = evaluate(make_sample(build_profile({"x": training}, task="regression"), {"x": training[:1000] + 50}))

    assert found.features[0].statistics["wasserstein"] == pytest.approx(50 / training.std(), rel=0.02)


def test_effects_that_do_not_apply_are_left_out() -> None:
    """Categories have no order, constants no standard deviation: nothing is made up for them."""
    draw = generator()
    columns = {"country": draw.choice(["de", "fr"], 1000), "same": np.full(1000, 3.0), "x": draw.normal(size=1000)}
    profile = build_profile(columns, task="regression")
    found = {item.name: set(item.statistics) for item in evaluate(make_sample(profile, columns)).features}

    assert isinstance(profile.features[1], NumericFeature)
    assert found["country"] == {"psi", "jensenShannon"}
    assert found["same"] == {"psi", "jensenShannon", "kolmogorovSmirnov"}
    assert len(found["x"]) == 5
