"""A year of hourly bike rentals: a model trained in winter meets summer, and retraining halves its error."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor

from perennate.drift import DriftVerdict, Evaluation, build_profile, evaluate_drift
from tests.statistics.datasets import bikes
from tests.statistics.replay import columns, replay

INPUTS = ("hr", "holiday", "weekday", "workingday", "temp", "atemp", "hum", "windspeed")
WATCHED = (*INPUTS, "weathersit")
TRUTH = "bikers"
HOUR = 3600.0
WARM = range(5, 11)
"""May to October."""


@dataclass(frozen=True)
class Month:
    """One month of traffic.

    Args:
        evaluation: against the profile of January to March.
        error: mean absolute error of the model trained on January to March.
        retrained: mean absolute error of a model trained on the three months before this one.
    """

    evaluation: Evaluation
    error: float
    retrained: float


@pytest.fixture(scope="module")
def months() -> dict[int, Month]:
    """The months from April to December."""
    frame = bikes()
    frame["month"] = pd.factorize(frame["mnth"])[0] + 1
    return evaluated(frame)


def evaluated(frame: pd.DataFrame) -> dict[int, Month]:
    """Each month from April on, evaluated against January to March."""
    winter = frame[frame["month"] <= 3]
    training = winter.sample(frac=0.75, random_state=0)
    holdout = winter.drop(training.index)
    model = fitted(training)
    profile = build_profile(
        columns(training, WATCHED),
        task="regression",
        score=model.predict(holdout[list(INPUTS)]),
        labels=holdout[TRUTH].to_numpy(),
    )
    found = {}
    for month in range(4, 13):
        rows = frame[frame["month"] == month]
        last = frame[(frame["month"] < month) & (frame["month"] >= month - 3)]
        predictions = model.predict(rows[list(INPUTS)])
        length = len(rows) * HOUR
        sample = replay(
            profile, rows, names=WATCHED, length=length, until=month * length, scores=predictions, scrapes=288
        )
        found[month] = Month(evaluate_drift(sample), error(model, rows), error(fitted(last), rows))
    return found


def fitted(rows: pd.DataFrame) -> RandomForestRegressor:
    """A model trained on these rows."""
    return RandomForestRegressor(50, random_state=0).fit(rows[list(INPUTS)], rows[TRUTH])


def error(model: RandomForestRegressor, rows: pd.DataFrame) -> float:
    """Mean absolute error."""
    return float((model.predict(rows[list(INPUTS)]) - rows[TRUTH]).abs().mean())


def test_the_season_drifts_in_every_month(months: dict[int, Month]) -> None:
    """Temperature drifts in every month after winter, and the predictions drift from May to October."""
    drifted = {
        month: {item.name for item in found.evaluation.features if item.verdict is DriftVerdict.DRIFTED}
        for month, found in months.items()
    }

    assert list(drifted) == list(range(4, 13))
    assert all({"temp", "atemp"} <= names for names in drifted.values())
    assert all("score" in drifted[month] for month in WARM)


def test_columns_without_season_do_not_drift(months: dict[int, Month]) -> None:
    """Hours and weekdays have the same distribution in every month, and each hour is a separate row."""
    quiet = {
        item.verdict
        for found in months.values()
        for item in found.evaluation.features
        if item.name in {"hr", "weekday"}
    }

    assert quiet == {DriftVerdict.NONE}


def test_retraining_on_the_last_three_months_halves_the_error(months: dict[int, Month]) -> None:
    """From May to October, the winter model errs by 70 to 100 bikes an hour, a retrained model by less than half."""
    errors = [months[month].error for month in WARM]
    retrained = [months[month].retrained for month in WARM]

    assert min(errors) > 60
    assert sum(retrained) < 0.5 * sum(errors)
    assert all(after < 0.6 * before for before, after in zip(errors, retrained, strict=True))
