"""What becomes of labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from perennate.serving.capture.feedback import MAX_LABELS, Feedback, RecentIds
from perennate.serving.capture.identifiers import make_ids
from perennate.serving.capture.recording import Recording
from perennate.serving.capture.rows import Capture, CapturedLabel, CapturedRows
from perennate.serving.metrics import Metrics
from perennate.serving.model.model import ServedModel
from perennate.serving.refusal import Refused

if TYPE_CHECKING:
    from perennate.drift.profile.profile import LabelKind

Models = Mapping[str, ServedModel]
NOW = 1_767_225_600.0


class MemorySink:
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.labels: list[CapturedLabel] = []

    def write_rows(self, rows: list[CapturedRows], time: float) -> None:
        """No rows are expected."""
        raise AssertionError(f"{len(rows)} rows at {time}")

    def write_labels(self, labels: list[CapturedLabel], time: float) -> None:
        """Keep them."""
        del time
        self.labels += labels

    def delete_expired(self, time: float) -> None:
        """Nothing expires."""
        del time


class Desk:
    """A feedback desk of one model, with everything it writes to."""

    def __init__(self, model: ServedModel, *, seen: RecentIds | None = None) -> None:
        self.metrics, self.sink = Metrics(), MemorySink()
        self.capture = Capture(self.sink, flush_seconds=60, clock=lambda: NOW, metrics=self.metrics)  # type: ignore[arg-type]
        self.recorder = Recording(model, start=NOW, metrics=self.metrics).recorder
        self.feedback = Feedback(
            model,
            recorder=self.recorder,
            metrics=self.metrics,
            clock=lambda: NOW,
            capture=self.capture,
            seen=seen,
        )
        self._prefix = model.prefix

    def ids(self, *answers: float, version: str | None = None, kind: LabelKind | None = None) -> list[str]:
        """Ids as this pod, or a pod of another version or of another kind of model, gave them out a minute ago."""
        token = f"{hash(answers) & 0xFFFFFFFFFF:010x}"
        return make_ids(
            version=version or self._prefix,
            kind=kind or self.recorder.profile.label_kind,
            answers=answers,
            time_ms=int(NOW * 1000) - 60_000,
            token=token,
        )

    def captured(self) -> list[CapturedLabel]:
        """The labels that reached the store."""
        self.capture.start()
        assert self.capture.close()
        return self.sink.labels


def test_labels_are_booked_under_their_score_bin(models: Models) -> None:
    """The bin in the id is the only memory: the counts document has each label where its prediction was."""
    desk = Desk(models["rain"])
    first, second, third = desk.ids(4, 4, 7)
    receipt = desk.feedback.accept(
        [{"id": first, "label": 1}, {"id": second, "label": 0}, {"id": third, "label": 1.0, "comment": "ignored"}]
    )
    assert receipt.document() == {"booked": 3, "kept": 0, "duplicates": 0, "foreign": 0, "invalid": []}
    labels = desk.recorder.document()["labels"]
    assert (labels["1"][4], labels["0"][4], labels["1"][7]) == (1, 1, 1)
    assert sum(map(sum, labels.values())) == 3
    assert desk.captured() == [
        CapturedLabel(first, 1, NOW),
        CapturedLabel(second, 0, NOW),
        CapturedLabel(third, 1.0, NOW),
    ]


def test_a_label_that_is_sent_twice_is_booked_once(models: Models) -> None:
    """Callers repeat requests whose answer was lost; the second one changes nothing, whatever label it carries."""
    desk = Desk(models["rain"])
    (text,) = desk.ids(3)
    assert desk.feedback.accept([{"id": text, "label": 1}, {"id": text, "label": 1}]).duplicates == 1
    assert desk.feedback.accept([{"id": text, "label": 0}]).duplicates == 1
    assert sum(map(sum, desk.recorder.document()["labels"].values())) == 1
    assert len(desk.captured()) == 1


def test_the_memory_of_ids_is_bounded() -> None:
    """The oldest id is forgotten for a new one, and never more than the limit are known."""
    seen = RecentIds(limit=3)
    for text in "abcd":
        seen.add(text)
    assert [text in seen for text in "abcd"] == [False, True, True, True]


def test_labels_of_another_version_are_kept_for_retraining(models: Models) -> None:
    """A label that comes after a rollout counts for no profile here, but the row it belongs to was captured."""
    desk = Desk(models["rain"])
    (text,) = desk.ids(3, version="f" * 12)
    assert desk.feedback.accept([{"id": text, "label": 1}]).document() == {
        "booked": 0,
        "kept": 0,
        "duplicates": 0,
        "foreign": 1,
        "invalid": [],
    }
    assert sum(map(sum, desk.recorder.document()["labels"].values())) == 0
    assert [label.id for label in desk.captured()] == [text]


def test_labels_of_a_regression_are_booked_by_their_error(models: Models) -> None:
    """The prediction in the id and the true value give the error; how long the label took is counted too."""
    desk = Desk(models["height"])
    first, second = desk.ids(2.5, 3.5)
    assert desk.feedback.accept([{"id": first, "label": 2.5}, {"id": second, "label": 1e6}]).booked == 2
    document = desk.recorder.document()
    assert document["residuals"]["bins"][-1] == 0
    assert document["residuals"]["bins"][0] == 1
    assert document["residuals"]["sums"][:3] == [2, 0, 2**15]
    assert document["delays"] == [2, 0, 0, 0, 0, 0, 0, 0]


def test_labels_of_more_classes_are_booked_by_predicted_class(models: Models) -> None:
    """The position of the predicted class in the id and the true class make a cell of the matrix."""
    desk = Desk(models["clothes"])
    classes = models["clothes"].profile.classes
    (text,) = desk.ids(1)
    assert desk.feedback.accept([{"id": text, "label": classes[2]}]).booked == 1
    assert desk.recorder.document()["confusion"][1][2] == 1


@pytest.mark.parametrize(
    ("name", "kind", "label"), [("height", "scores", 2.5), ("clothes", "scores", "hat"), ("ridge", "scores", 1)]
)
def test_labels_that_cannot_be_counted_are_kept(name: str, kind: LabelKind, label: Any, models: Models) -> None:
    """A model without probabilities, or an id from before its labels were counted: everything to learn from."""
    desk = Desk(models[name])
    (text,) = desk.ids(3, kind=kind)
    assert desk.feedback.accept([{"id": text, "label": label}]).kept == 1
    assert [item.label for item in desk.captured()] == [label]


INVALID: dict[str, tuple[Any, str]] = {
    "no object": (3, "must be an object with the fields id and label"),
    "no label": ({"id": "GOOD"}, "must be an object with the fields id and label"),
    "id is a number": ({"id": 5, "label": 1}, "id: must be a string, got a number"),
    "id is no id": ({"id": "abc", "label": 1}, "id: must be an id as it stands in the answer"),
    "bin out of range": ({"id": "BIN 999", "label": 1}, "score bin must be from 0 to"),
    "label is text": ({"id": "GOOD", "label": "1"}, "label: must be a number, got a string"),
    "label is null": ({"id": "GOOD", "label": None}, "label: must be a number, got null"),
    "label is a boolean": ({"id": "GOOD", "label": True}, "label: must be a number, got a boolean"),
    "no such class": ({"id": "GOOD", "label": 2}, "label: must be one of 0, 1"),
}


@pytest.mark.parametrize(("entry", "want"), INVALID.values(), ids=INVALID.keys())
def test_an_invalid_label_is_named_and_spoils_no_other(entry: Any, want: str, models: Models) -> None:
    """Position and reason come back, the rest is booked, and the right label for the same id is still welcome."""
    desk = Desk(models["rain"])
    good, other, far = desk.ids(3, 4, 999)
    if isinstance(entry, dict):
        entry = {**entry, "id": {"GOOD": good, "BIN 999": far}.get(entry["id"], entry["id"])}
    receipt = desk.feedback.accept([{"id": other, "label": 0}, entry])
    assert receipt.booked == 1
    assert [problem["index"] for problem in receipt.invalid] == [1]
    assert receipt.invalid[0]["error"].startswith(want)
    assert desk.feedback.accept([{"id": good, "label": 1}]).booked == 1
    assert len(desk.captured()) == 2


@pytest.mark.parametrize("body", [{}, None, "x", [{}] * (MAX_LABELS + 1)], ids=["object", "null", "text", "too many"])
def test_a_body_that_is_no_list_of_labels_is_refused(body: Any, models: Models) -> None:
    """Nothing of it is booked."""
    with pytest.raises(Refused, match="body: must"):
        Desk(models["rain"]).feedback.accept(body)
