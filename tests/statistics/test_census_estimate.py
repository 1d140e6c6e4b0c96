"""US census, 2016 to 2018: performance estimated from scores alone, compared with labelled performance.

The file lists each year in blocks of households, so chunks of 5,000 rows differ from each other. This does not harm
the model, but some blocks are harder to predict than others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn import metrics

from perennate.drift import Profile, Sample, Signal, build_profile, estimate_performance, evaluate_estimated_performance
from tests.statistics.datasets import census
from tests.statistics.replay import replay

SCORE, TRUTH, PREDICTED = "predicted_probability", "employed", "prediction"
INPUT = "AGEP"
LEARNT = 2015
CHUNK, CHUNKS = 5000, 41
DAY = 86_400.0
LIMITS = {"accuracy": 0.0055, "f1": 0.0070, "auc": 0.0045}
"""Limits of the mean absolute error; NannyML 0.13.1 has .0051, .0066 and .0040 on these chunks."""


@dataclass(frozen=True)
class Chunk:
    """5,000 rows, counted without labels, and the metrics computed from their labels."""

    sample: Sample
    truth: dict[str, float]


@pytest.fixture(scope="module")
def profile(people: pd.DataFrame) -> Profile:
    """The profile of 2015, whose rows were not used to train the model in the data set."""
    learnt = people[people["year"] == LEARNT]
    return build_profile(
        {INPUT: learnt[INPUT].to_numpy()},
        task="classification",
        score=learnt[SCORE].to_numpy(),
        labels=learnt[TRUTH].to_numpy(),
        classes=[0, 1],
    )


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """All rows in the order of the file."""
    return census()


@pytest.fixture(scope="module")
def chunks(people: pd.DataFrame, profile: Profile) -> list[Chunk]:
    """The years after the reference, in chunks of 5,000 rows."""
    later = people[people["year"] > LEARNT]
    parts = [later.iloc[first : first + CHUNK] for first in range(0, len(later) - CHUNK + 1, CHUNK)]
    return [
        Chunk(
            replay(profile, rows, names=[INPUT], length=DAY, until=DAY, scores=rows[SCORE].to_numpy(), scrapes=2),
            {
                "accuracy": float(metrics.accuracy_score(rows[TRUTH], rows[PREDICTED])),
                "f1": float(metrics.f1_score(rows[TRUTH], rows[PREDICTED])),
                "auc": float(metrics.roc_auc_score(rows[TRUTH], rows[SCORE])),
            },
        )
        for rows in parts
    ]


def errors(chunks: list[Chunk], metric: str) -> npt.NDArray[np.float64]:
    """Estimate minus true value for each chunk, of shape (chunks,)."""
    return np.array([estimate_performance(chunk.sample)[metric].value - chunk.truth[metric] for chunk in chunks])


@pytest.mark.parametrize("metric", LIMITS)
def test_estimates_from_counts_are_as_good_as_from_raw_scores(chunks: list[Chunk], metric: str) -> None:
    """The error is that of NannyML, which keeps every score, although counts have only 50 bins."""
    assert len(chunks) == CHUNKS
    assert float(np.abs(errors(chunks, metric)).mean()) <= LIMITS[metric]


@pytest.mark.parametrize("metric", LIMITS)
def test_estimates_are_better_than_the_baseline(chunks: list[Chunk], profile: Profile, metric: str) -> None:
    """Their error is less than 0.7 times the error of assuming no change."""
    guess = np.array([profile.metrics[metric].value - chunk.truth[metric] for chunk in chunks])

    assert np.abs(errors(chunks, metric)).mean() < 0.7 * np.abs(guess).mean()


@pytest.mark.parametrize("metric", LIMITS)
def test_intervals_cover_the_labelled_performance(chunks: list[Chunk], metric: str) -> None:
    """95 % intervals contain the labelled performance in at least 34 of 41 chunks.

    For randomly drawn rows, 95 % do (unit tests); here some blocks are harder or easier than their scores say.
    """
    found = [(estimate_performance(chunk.sample)[metric], chunk.truth[metric]) for chunk in chunks]

    assert sum(item.lower <= truth <= item.upper for item, truth in found) >= 34


def test_the_only_alarm_is_the_worst_chunk(chunks: list[Chunk], profile: Profile) -> None:
    """At a tolerance of 0.02, only the hardest chunk raises an alarm; its true accuracy is lower by 0.06."""
    results = [evaluate_estimated_performance(chunk.sample, metric="accuracy", tolerance=0.02) for chunk in chunks]
    raised = [number for number, found in enumerate(results) if found.signal is Signal.RAISED]
    truth = [chunk.truth["accuracy"] for chunk in chunks]

    assert raised == [int(np.argmin(truth))]
    assert truth[raised[0]] < profile.metrics["accuracy"].value - 0.05
