"""Predictions that are missing, and true values whose distribution changes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from perennate.drift.data.errors import CountsError
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.profile import Profile
from perennate.drift.recording.validation import validate_counts
from perennate.drift.verdicts.verdict import DriftVerdict, Evaluation, evaluate_drift
from perennate.drift.windows.window import Window
from tests.support.drift.makers import HOUR, START, generator, make_profile, make_recorder, make_scores

ROWS = 3000
Values = npt.NDArray[Any]


def evaluate(profile: Profile, scores: Values | None = None, labels: Values | None = None) -> Evaluation:
    """The evaluation of rows with these scores and true values, and features as in training."""
    recorder = make_recorder(profile)
    rows = ROWS if scores is None else scores.size
    recorder.record({feature.name: generator(3).normal(size=rows) for feature in profile.features})
    if scores is not None:
        recorder.record_scores(scores)
    if labels is not None:
        recorder.record_targets(labels)
    window = Window(profile, length=24 * HOUR, scrape_interval=15)
    window.add(json.loads(json.dumps(recorder.document())), pod="a", now=START + 2 * HOUR)
    return evaluate_drift(window.sample(START + 2 * HOUR))


def classifier(share: float = 0.1, unscored: int = 0) -> Profile:
    """A binary classifier; a share of the hold-out rows is positive."""
    draw = generator()
    scores, labels = draw.random(ROWS), (draw.random(ROWS) < share).astype(int)
    columns = {"x": draw.normal(size=ROWS)}
    return build_profile(columns, task="classification", score=scores, labels=labels, unscored=unscored, classes=[0, 1])


def regressor() -> Profile:
    """The profile of a regression model."""
    draw = generator()
    truth = draw.lognormal(2, 1, ROWS)
    return build_profile({"x": draw.normal(size=ROWS)}, task="regression", score=truth + 1, labels=truth)


def gaps(share: float, rows: int = ROWS) -> Values:
    """Scores as those of the hold-out rows, a share of them missing."""
    draw = generator(5)
    return np.where(draw.random(rows) < share, np.nan, draw.random(rows))


@pytest.mark.parametrize("share", [0.02, 0.2, 0.9, 1.0])
def test_missing_predictions_are_a_data_fault(share: float) -> None:
    found = evaluate(classifier(), gaps(share))

    assert [(fault.feature, fault.check) for fault in found.faults] == [("score", "missing")]
    assert found.faults[0].rate == pytest.approx(share, abs=0.02)
    assert found.faults[0].hint == f"`score`: {100 * found.faults[0].rate:.0f} % missing, 0 % in the reference"
    assert found.verdict is DriftVerdict.NONE


def test_predictions_that_were_missing_before_are_none() -> None:
    assert evaluate(classifier(unscored=ROWS // 4), gaps(0.2)).faults == ()
    assert len(evaluate(classifier(unscored=ROWS // 50), gaps(0.2)).faults) == 1


def test_no_predictions_at_all_are_no_fault() -> None:
    """Files may be compared without predictions, and pods may record none."""
    assert evaluate(classifier()).faults == ()
    assert evaluate(classifier(), gaps(0.0)).faults == ()


def test_single_missing_scores_are_counted() -> None:
    recorder = make_recorder(classifier())
    for score in (0.5, np.nan, np.nan):
        recorder.record_scores([score])
    document = recorder.document()

    assert (sum(document["score"]), document["unscored"]) == (1, 2)


def test_an_old_profile_does_not_count_missing_predictions() -> None:
    document = classifier().to_document()
    del document["score"]["missing"]
    profile = Profile.from_document(document)

    assert evaluate(profile, gaps(0.5)).faults == ()
    assert "unscored" not in make_recorder(profile).document()


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.1, DriftVerdict.NONE), (0.6, DriftVerdict.DRIFTED)], ids=["as before", "10 % to 60 %"]
)
def test_the_share_of_a_class_drifts(share: float, verdict: DriftVerdict) -> None:
    """It is reported, and counts for nothing else."""
    labels = (generator(8).random(ROWS) < share).astype(int)
    found = evaluate(classifier(0.1), labels=labels)

    assert found.target is not None
    assert (found.target.name, found.target.verdict, found.target.rows) == ("target", verdict, ROWS)
    assert (found.verdict, found.faults) == (DriftVerdict.NONE, ())
    assert {item.name for item in found.features} == {"x", "score"}
    if verdict is DriftVerdict.DRIFTED:
        assert found.target.hint == "'1' is 61 % of the true values, 10 % in the reference"


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.0, DriftVerdict.NONE), (2.0, DriftVerdict.DRIFTED)], ids=["as before", "doubled"]
)
def test_true_values_drift(factor: float, verdict: DriftVerdict) -> None:
    found = evaluate(regressor(), labels=generator(8).lognormal(2, 1, ROWS) * factor)

    assert found.target is not None
    assert found.target.verdict is verdict
    assert found.verdict is DriftVerdict.NONE


def test_new_missing_and_invalid_true_values_are_counted_apart() -> None:
    recorder = make_recorder(classifier())
    recorder.record_targets(np.array([0, 1, 1, 2, None], dtype=object))
    numbers = make_recorder(regressor())
    numbers.record_targets([5.0, float("nan"), "a lot", -1.0, 1e9])

    assert recorder.document()["target"] == [0, 1, 2, 0, 1, 1]
    cells = numbers.document()["target"]
    assert (cells[0], sum(cells[1:-3]), cells[-3:]) == (1, 1, [1, 1, 1])


def test_too_few_true_values_are_unknown() -> None:
    found = evaluate(classifier(), labels=np.ones(20))

    assert found.target is not None
    assert (found.target.verdict, found.target.rows) == (DriftVerdict.UNKNOWN, 20)
    assert evaluate(classifier()).target is None


def test_labels_of_served_predictions_are_compared() -> None:
    """Pods count the label of a prediction for the performance and for the target."""
    profile = make_profile()
    recorder = make_recorder(profile)
    scores, labels = make_scores(1000, 4)
    bins = recorder.record_scores(scores)
    recorder.record_labels(bins, np.ones_like(labels))
    document = recorder.document()

    assert document["target"] == [0, 0, 1000, 0, 0, 0]
    assert sum(document["labels"]["1"]) == 1000


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("target", [0, 0], r"target: must have 6 items, got 2"),
        ("target", [0, -1, 0, 0, 0, 0], r"target\[1\]: expected int >= 0"),
        ("unscored", -1, r"unscored: expected int >= 0"),
        ("unscored", [1], r"unscored: expected int"),
    ],
)
def test_other_counts_are_refused(name: str, value: object, message: str) -> None:
    document = make_recorder(classifier()).document() | {name: value}
    with pytest.raises(CountsError, match=message):
        validate_counts(document, classifier())


def test_counts_of_an_older_pod_lack_both() -> None:
    document = make_recorder(classifier()).document()
    del document["target"], document["unscored"]

    assert validate_counts(document, classifier()).rows == 0
