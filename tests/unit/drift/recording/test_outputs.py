"""Counting scores, predicted classes and labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perennate.drift.data.categories import class_text
from perennate.drift.data.errors import LabelError
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.layout import Layout
from perennate.drift.profile.profile import Profile
from perennate.drift.recording.validation import validate_counts
from tests.support.drift.makers import PEOPLE, make_recorder


def test_label_is_counted_in_the_bin_of_its_score() -> None:
    """Recording a score returns its bin, or -1 for NaN, which is not counted; a label is counted by that bin."""
    recorder = make_recorder(PEOPLE)
    bins = recorder.record_scores([0.05, 0.5, 0.500001, 0.95, np.nan])
    recorder.record_label(int(bins[0]), "no")
    recorder.record_label(int(bins[3]), "yes")
    document = recorder.document()

    assert bins.tolist() == [0, 2, 3, 4, -1]
    assert document["score"] == [1, 0, 1, 1, 1]
    assert document["labels"] == {"0": [1, 0, 0, 0, 0], "1": [0, 0, 0, 0, 1]}


@pytest.mark.parametrize(
    ("score_bin", "label", "message"),
    [
        (5, "no", "score bin must be from 0 to 4, got 5"),
        (-1, "no", "got -1"),
        (0, "maybe", "label must be one of no, yes"),
    ],
)
def test_invalid_binary_labels_are_refused(score_bin: int, label: str, message: str) -> None:
    """The error says why, and nothing is counted."""
    recorder = make_recorder(PEOPLE)

    with pytest.raises(LabelError, match=message):
        recorder.record_label(score_bin, label)
    assert not any(map(any, recorder.document()["labels"].values()))


REGRESSION = build_profile(
    {"x": np.arange(9.0)}, task="regression", score=np.arange(9.0), labels=np.arange(9.0) + [0, 1, -1] * 3
)
FLOWERS = build_profile(
    {"x": np.arange(9.0)},
    task="classification",
    score=[0.5] * 6,
    labels=list("abcabc"),
    predictions=list("abcabb"),
    classes="abc",
)


def test_regression_labels_are_counted_by_residual() -> None:
    """The residual is counted in a bin, and added to integer sums of its size, square and fourth power."""
    recorder = make_recorder(REGRESSION)
    recorder.record_label(5.0, 4.0, delay=30)
    recorder.record_label(5.0, 6)
    recorder.record_label(1e9, 0.0, delay=1e9)
    counted = validate_counts(recorder.document(), REGRESSION).cells
    layout = Layout(REGRESSION)
    unit = round(1 / layout.profile.residual.unit) if layout.profile.residual else 0

    assert counted[layout.residual].tolist() == [1, 0, 2]
    assert counted[layout.residual_sums].tolist()[:4] == [3, unit + 2**15, unit, 2 * unit**2 + 2**30]
    assert counted[layout.delays].tolist() == [1, 0, 0, 0, 0, 0, 0, 1]


def test_multiclass_labels_are_counted_in_the_confusion_matrix() -> None:
    """Predicted classes are counted separately as well."""
    recorder = make_recorder(FLOWERS)
    answers = recorder.record_predictions(np.array(["a", "b", "b", "d"]))
    recorder.record_labels(answers[:3], np.array(["a", "b", "c"]), np.array([59.0, 3600.0, -5.0]))
    document = recorder.document()

    assert answers.tolist() == [0, 1, 1, -1]
    assert document["prediction"] == [1, 2, 0]
    assert document["confusion"] == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
    assert document["delays"] == [2, 0, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "predictions",
    [
        [1, 2, 1, 3],
        [1.0, 2.5, -0.0, 2.0],
        [True, False],
        ["1", "true", "b"],
        [float("nan")] * 2,
        [1, True, "1", None],
        [],
    ],
)
def test_class_positions_of_any_type(predictions: list[Any]) -> None:
    """A batch gives each class the position that it has alone."""
    profile = build_profile({"x": np.arange(9.0)}, task="classification", classes=[0, 1, 2, "true"])
    recorder = make_recorder(profile)
    texts = [class_text(value) for value in predictions]
    wanted = [profile.classes.index(text) if text in profile.classes else -1 for text in texts]

    assert recorder.class_positions(predictions).tolist() == wanted
    column = np.empty(len(predictions), dtype=object)
    column[:] = predictions
    assert recorder.class_positions(column).tolist() == wanted


@pytest.mark.parametrize(
    ("profile", "answer", "label", "message"),
    [
        (REGRESSION, 1.0, "a", "label must be a number, got str"),
        (REGRESSION, 1.0, True, "label must be a number, got bool"),
        (REGRESSION, float("nan"), 1.0, "must be finite numbers"),
        (REGRESSION, 1.7e308, -1.7e308, "their difference must be finite"),
        (FLOWERS, 3, "a", "predicted class must be a position from 0 to 2, got 3"),
        (FLOWERS, 0, "d", "label must be one of a, b, c, got 'd'"),
    ],
)
def test_one_invalid_label_refuses_the_batch(profile: Profile, answer: Any, label: Any, message: str) -> None:
    """The error says why, and no label of the batch is counted."""
    recorder = make_recorder(profile)
    right: tuple[float, Any] = (1, "a") if profile is FLOWERS else (1.0, 1.0)

    with pytest.raises(LabelError, match=message):
        recorder.record_labels([right[0], answer], [right[1], label])
    assert sum(recorder.document()["delays"]) == 0
    assert Layout(profile).size == validate_counts(recorder.document(), profile).cells.size
    assert not validate_counts(recorder.document(), profile).cells.any()


def test_labels_of_too_many_classes_are_not_counted() -> None:
    """Above 30 classes the confusion matrix would dominate the document; the error states the limit."""
    names = [f"c{index}" for index in range(31)]
    profile = build_profile({"x": np.arange(9.0)}, task="classification", classes=names)

    with pytest.raises(LabelError, match="at most 30 classes, this model has 31"):
        make_recorder(profile).record_label(0, "c0")


def test_labels_need_hold_out_rows() -> None:
    """Without them there are no bins; the error says what is missing."""
    for task, classes, message in (("regression", "", "labelled hold-out rows"), ("classification", "ab", "probabil")):
        profile = build_profile({"x": np.arange(9.0)}, task=task, classes=classes)  # type: ignore[arg-type]
        with pytest.raises(LabelError, match=message):
            make_recorder(profile).record_label(0, 1.0)


def test_scores_are_refused_if_the_profile_has_no_score() -> None:
    profile = build_profile({"x": np.arange(9.0)}, task="regression")

    with pytest.raises(ValueError, match="the profile has no score"):
        make_recorder(profile).record_scores([0.5])
