"""US census, 2015 against 2016 to 2018: with many rows, changes are significant but too small to harm the model."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from perennate.drift import DriftVerdict, Evaluation, Profile, build_profile, evaluate_drift
from tests.statistics.datasets import census
from tests.statistics.replay import columns, replay

NOT_FEATURES = ("id", "employed", "year", "prediction", "predicted_probability")
SCORE, TRUTH = "predicted_probability", "employed"
LEARNT, LATER = 2015, (2016, 2017, 2018)
CHUNK = 5000
WEEK = 604_800.0


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """All rows, shuffled within each year: the file lists blocks of households, which traffic does not."""
    frame = census().sample(frac=1, random_state=np.random.default_rng(1)).sort_values("year", kind="stable")
    categories = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(categories, object))


@pytest.fixture(scope="module")
def profile(people: pd.DataFrame) -> Profile:
    """The profile of 2015, whose rows were not used to train the model in the data set."""
    learnt = people[people["year"] == LEARNT]
    return build_profile(
        columns(learnt, names(people)),
        task="classification",
        score=learnt[SCORE].to_numpy(),
        labels=learnt[TRUTH].to_numpy(),
        classes=[0, 1],
    )


def names(people: pd.DataFrame) -> list[str]:
    """The 16 inputs of the model."""
    return [str(name) for name in people.columns if name not in NOT_FEATURES]


def evaluated(profile: Profile, rows: pd.DataFrame) -> Evaluation:
    """The verdict with default settings if these rows are the traffic of a week."""
    return evaluate_drift(
        replay(profile, rows, names=names(rows), length=WEEK, until=WEEK, scores=rows[SCORE].to_numpy())
    )


def chunks(people: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The years after the reference, in chunks of 5,000 rows."""
    later = people[people["year"].isin(LATER)]
    for first in range(0, len(later) - CHUNK + 1, CHUNK):
        yield later.iloc[first : first + CHUNK]


@pytest.mark.parametrize("year", LATER)
def test_a_whole_year_is_changed_but_not_drifted(people: pd.DataFrame, profile: Profile, year: int) -> None:
    """With 70,000 rows, some columns change significantly, but the effects are too small."""
    found = evaluated(profile, people[people["year"] == year])

    assert found.verdict is DriftVerdict.CHANGED
    assert max(item.psi_star for item in found.features) < 0.02
    assert found.faults == ()


def test_no_chunk_of_a_year_drifts(people: pd.DataFrame, profile: Profile) -> None:
    """In 41 windows of 5,000 rows, the verdict is at most Changed, and the largest effect is a quarter of a warning."""
    found = [evaluated(profile, rows) for rows in chunks(people)]

    assert len(found) == 41
    assert {evaluation.verdict for evaluation in found} <= {DriftVerdict.NONE, DriftVerdict.CHANGED}
    assert max(item.psi_star for evaluation in found for item in evaluation.features) < 0.025


def test_a_higher_maximum_age_is_not_a_lasting_fault(people: pd.DataFrame, profile: Profile) -> None:
    """Ages end at 94 in 2015 and at 95 from 2017; over 1 % out of range never occurs in two windows in a row."""
    faults = [{(item.feature, item.check) for item in evaluated(profile, rows).faults} for rows in chunks(people)]

    assert set().union(*faults) <= {("AGEP", "out-of-range")}
    assert not any(first and second for first, second in pairwise(faults))


def test_the_accuracy_does_not_change(people: pd.DataFrame) -> None:
    """The accuracy is equal in all four years, so retraining would not help."""
    right = (people["prediction"] == people[TRUTH]).groupby(people["year"]).mean()

    assert right.to_numpy() == pytest.approx(np.full(4, right[LEARNT]), abs=0.005)
