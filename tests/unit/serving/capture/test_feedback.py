"""Labels sent to `/feedback`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from perennate.serving.capture.feedback import MAX_LABELS, Feedback, RecentIds
from perennate.serving.capture.identifiers import make_ids
from perennate.serving.capture.received_labels import LONGEST_DELAY_SECONDS, SKEW_SECONDS
from perennate.serving.capture.recording import FailOpenRecorder
from perennate.serving.capture.rows import Capture, CapturedLabel, CapturedRows
from perennate.serving.metrics import Metrics
from perennate.serving.model.model import ServedModel
from perennate.serving.request_error import RequestError
from tests.support.pods.serving_pod import SIGNER

if TYPE_CHECKING:
    from perennate.drift.profile.profile import LabelKind

Models = Mapping[str, ServedModel]
NOW = 1_767_225_600.0


class MemorySink:
    """A sink that keeps the labels in memory."""

    def __init__(self) -> None:
        self.labels: list[CapturedLabel] = []

    def write_rows(self, rows: list[CapturedRows], time: float) -> None:
        """Fail: no rows are expected."""
        raise AssertionError(f"{len(rows)} rows at {time}")

    def write_labels(self, labels: list[CapturedLabel], time: float) -> None:
        """Keep the labels."""
        del time
        self.labels += labels

    def delete_expired(self, time: float) -> None:
        """Delete nothing."""
        del time


class FeedbackSetup:
    """The feedback of one model, with everything that it writes to."""

    def __init__(self, model: ServedModel, *, seen: RecentIds | None = None) -> None:
        self.metrics, self.sink = Metrics(), MemorySink()
        self.capture = Capture(self.sink, flush_seconds=60, clock=lambda: NOW, metrics=self.metrics)  # type: ignore[arg-type]
        self.recorder = FailOpenRecorder(model, start=NOW, metrics=self.metrics).recorder
        self.feedback = Feedback(
            model,
            recorder=self.recorder,
            metrics=self.metrics,
            clock=lambda: NOW,
            signer=SIGNER,
            capture=self.capture,
            recent=seen,
        )
        self._prefix = model.prefix

    def ids(
        self, *answers: float, version: str | None = None, kind: LabelKind | None = None, age: float = 60.0
    ) -> list[str]:
        """Ids issued some seconds ago by this pod, by another version, or by a model of another type."""
        token = f"{hash(answers) & 0xFFFFFFFFFF:010x}"
        return make_ids(
            version=version or self._prefix,
            kind=kind or self.recorder.profile.label_kind,
            answers=answers,
            time_ms=int((NOW - age) * 1000),
            token=token,
            signer=SIGNER,
        )

    def captured(self) -> list[CapturedLabel]:
        """The labels that were stored."""
        self.capture.start()
        assert self.capture.close()
        return self.sink.labels


def test_labels_are_counted_by_score_bin(models: Models) -> None:
    """The score bin is taken from the id, so the pod stores nothing for a prediction."""
    setup = FeedbackSetup(models["rain"])
    first, second, third = setup.ids(4, 4, 7)
    receipt = setup.feedback.accept(
        [{"id": first, "label": 1}, {"id": second, "label": 0}, {"id": third, "label": 1.0, "comment": "ignored"}]
    )
    assert receipt.document() == {"counted": 3, "not_countable": 0, "duplicates": 0, "other_version": 0, "invalid": []}
    labels = setup.recorder.document()["labels"]
    assert (labels["1"][4], labels["0"][4], labels["1"][7]) == (1, 1, 1)
    assert sum(map(sum, labels.values())) == 3
    assert setup.captured() == [
        CapturedLabel(first, 1, NOW),
        CapturedLabel(second, 0, NOW),
        CapturedLabel(third, 1.0, NOW),
    ]


def test_duplicate_labels_are_counted_once(models: Models) -> None:
    """Clients retry requests without a response; the second label is ignored, even if it differs."""
    setup = FeedbackSetup(models["rain"])
    (text,) = setup.ids(3)
    assert setup.feedback.accept([{"id": text, "label": 1}, {"id": text, "label": 1}]).duplicates == 1
    assert setup.feedback.accept([{"id": text, "label": 0}]).duplicates == 1
    assert sum(map(sum, setup.recorder.document()["labels"].values())) == 1
    assert len(setup.captured()) == 1


def test_the_number_of_remembered_ids_is_bounded() -> None:
    """At the limit, the oldest id is forgotten."""
    seen = RecentIds(limit=3)
    for text in "abcd":
        seen.add(text)
    assert [text in seen for text in "abcd"] == [False, True, True, True]


def test_labels_of_another_version_are_stored_for_retraining(models: Models) -> None:
    """After a rollout, such a label cannot be counted against the profile, but its row may have been captured."""
    setup = FeedbackSetup(models["rain"])
    (text,) = setup.ids(3, version="f" * 12)
    assert setup.feedback.accept([{"id": text, "label": 1}]).document() == {
        "counted": 0,
        "not_countable": 0,
        "duplicates": 0,
        "other_version": 1,
        "invalid": [],
    }
    assert sum(map(sum, setup.recorder.document()["labels"].values())) == 0
    assert [label.id for label in setup.captured()] == [text]


def test_regression_labels_are_counted_by_residual(models: Models) -> None:
    """The id contains the prediction and its time, which give the residual and the label delay."""
    setup = FeedbackSetup(models["height"])
    first, second = setup.ids(2.5, 3.5)
    assert setup.feedback.accept([{"id": first, "label": 2.5}, {"id": second, "label": 1e6}]).counted == 2
    document = setup.recorder.document()
    assert document["residuals"]["bins"][-1] == 0
    assert document["residuals"]["bins"][0] == 1
    assert document["residuals"]["sums"][:3] == [2, 0, 2**15]
    assert document["delays"] == [2, 0, 0, 0, 0, 0, 0, 0]


def test_multiclass_labels_are_counted_in_the_confusion_matrix(models: Models) -> None:
    """The id contains the position of the predicted class."""
    setup = FeedbackSetup(models["clothes"])
    classes = models["clothes"].profile.classes
    (text,) = setup.ids(1)
    assert setup.feedback.accept([{"id": text, "label": classes[2]}]).counted == 1
    assert setup.recorder.document()["confusion"][1][2] == 1


@pytest.mark.parametrize(
    ("name", "kind", "label"), [("height", "scores", 2.5), ("clothes", "scores", "hat"), ("ridge", "scores", 1)]
)
def test_labels_that_cannot_be_counted_are_stored(name: str, kind: LabelKind, label: Any, models: Models) -> None:
    """This covers a model without probabilities, and ids of a version whose labels were not counted."""
    setup = FeedbackSetup(models[name])
    (text,) = setup.ids(3, kind=kind)
    assert setup.feedback.accept([{"id": text, "label": label}]).not_countable == 1
    assert [item.label for item in setup.captured()] == [label]


INVALID: dict[str, tuple[Any, str]] = {
    "not an object": (3, "must be an object with the fields id and label"),
    "no label": ({"id": "GOOD"}, "must be an object with the fields id and label"),
    "id is a number": ({"id": 5, "label": 1}, "id: must be a string, got a number"),
    "malformed id": ({"id": "abc", "label": 1}, "id: must be a prediction id"),
    "bin out of range": ({"id": "BIN 999", "label": 1}, "score bin must be from 0 to"),
    "label is text": ({"id": "GOOD", "label": "1"}, "label: must be a number, got a string"),
    "label is null": ({"id": "GOOD", "label": None}, "label: must be a number, got null"),
    "label is a boolean": ({"id": "GOOD", "label": True}, "label: must be a number, got a boolean"),
    "unknown class": ({"id": "GOOD", "label": 2}, "label: must be one of 0, 1"),
}


@pytest.mark.parametrize(("entry", "want"), INVALID.values(), ids=INVALID.keys())
def test_an_invalid_label_does_not_affect_others(entry: Any, want: str, models: Models) -> None:
    """The response has its index and the reason; a corrected label for the same id is accepted."""
    setup = FeedbackSetup(models["rain"])
    good, other, far = setup.ids(3, 4, 999)
    if isinstance(entry, dict):
        entry = {**entry, "id": {"GOOD": good, "BIN 999": far}.get(entry["id"], entry["id"])}
    receipt = setup.feedback.accept([{"id": other, "label": 0}, entry])
    assert receipt.counted == 1
    assert [problem["index"] for problem in receipt.invalid] == [1]
    assert receipt.invalid[0]["error"].startswith(want)
    assert setup.feedback.accept([{"id": good, "label": 1}]).counted == 1
    assert len(setup.captured()) == 2


@pytest.mark.parametrize("body", [{}, None, "x", [{}] * (MAX_LABELS + 1)], ids=["object", "null", "text", "too many"])
def test_a_body_that_is_not_a_list_of_labels_is_refused(body: Any, models: Models) -> None:
    with pytest.raises(RequestError, match="body: must"):
        FeedbackSetup(models["rain"]).feedback.accept(body)


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (-SKEW_SECONDS, None),
        (-SKEW_SECONDS - 1, "future"),
        (LONGEST_DELAY_SECONDS, None),
        (LONGEST_DELAY_SECONDS + 1, "too_old"),
    ],
)
def test_a_label_is_accepted_from_a_minute_ahead_to_ninety_days_late(
    age: float, reason: str | None, models: Models
) -> None:
    """Clocks of nodes differ by seconds, and some labels take months."""
    setup = FeedbackSetup(models["rain"])
    (text,) = setup.ids(3, age=age)
    receipt = setup.feedback.accept([{"id": text, "label": 1}])
    assert (receipt.counted, [item["reason"] for item in receipt.invalid]) == ((0, [reason]) if reason else (1, []))
    assert (
        setup.metrics.registry.get_sample_value("perennate_serving_labels_total", {"outcome": reason or "counted"}) == 1
    )


def test_labels_are_accepted_as_long_as_their_rows_are_kept(models: Models) -> None:
    """With a longer retention of captured rows, later labels are still of use."""
    setup = FeedbackSetup(models["rain"])
    later = Feedback(
        models["rain"],
        recorder=setup.recorder,
        metrics=setup.metrics,
        clock=lambda: NOW,
        signer=SIGNER,
        longest_delay=LONGEST_DELAY_SECONDS * 2,
    )
    (text,) = setup.ids(3, age=LONGEST_DELAY_SECONDS * 2 - 1)
    assert later.accept([{"id": text, "label": 1}]).counted == 1


def test_a_label_from_a_pod_with_a_clock_ahead_counts_without_delay(models: Models) -> None:
    setup = FeedbackSetup(models["rain"])
    (text,) = setup.ids(3, age=-5.0)
    assert setup.feedback.accept([{"id": text, "label": 1}]).counted == 1
    assert setup.recorder.document()["delays"] == [1, 0, 0, 0, 0, 0, 0, 0]


def test_a_label_that_cannot_be_counted_does_not_keep_the_others_from_it(models: Models) -> None:
    """Labels are counted together; one whose difference from the prediction is infinite is refused alone."""
    setup = FeedbackSetup(models["height"])
    ids = setup.ids(1.0, -1.7e308, 3.0)
    labels = [{"id": text, "label": label} for text, label in zip(ids, (1.5, 1.7e308, 3.5), strict=True)]
    receipt = setup.feedback.accept([*labels, labels[0]])
    assert (receipt.counted, receipt.duplicates, [item["index"] for item in receipt.invalid]) == (2, 1, [1])
    assert setup.recorder.document()["residuals"]["sums"][0] == 2
    assert setup.feedback.accept([{"id": ids[1], "label": -1.7e308}]).counted == 1
    assert [label.id for label in setup.captured()] == [ids[0], ids[2], ids[1]]
