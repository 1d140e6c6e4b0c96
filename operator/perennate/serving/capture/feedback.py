"""`POST /feedback` with `[{"id": ..., "label": ...}]`: true labels of earlier predictions."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from perennate.api.feature_types import FeatureType, is_value_of
from perennate.drift import LabelError, class_text
from perennate.serving.capture.identifiers import PredictionId, parse_id
from perennate.serving.capture.rows import CapturedLabel
from perennate.serving.request_error import json_kind, unprocessable

if TYPE_CHECKING:
    from collections.abc import Callable

    from perennate.drift import Recorder
    from perennate.serving.capture.rows import Capture
    from perennate.serving.metrics import Metrics
    from perennate.serving.model.model import ServedModel

MAX_LABELS: Final = 10_000
"""Maximum labels of one request."""
REMEMBERED: Final = 100_000
"""Number of recent ids that a pod remembers to deduplicate labels. About 10 MiB when full."""


class RecentIds:
    """A bounded set of recent ids; a new id replaces the oldest.

    Args:
        limit: maximum number of ids.
    """

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        # Hashes take a fifth of the memory of strings. Two ids collide with a probability of about 2**-60.
        self._order: deque[int] = deque()
        self._known: set[int] = set()

    def __contains__(self, text: str) -> bool:
        return hash(text) in self._known

    def add(self, text: str) -> None:
        """Add an id that is not in the set."""
        if len(self._order) == self._limit:
            self._known.discard(self._order.popleft())
        self._order.append(hash(text))
        self._known.add(hash(text))


@dataclass
class Receipt:
    """The outcome of the labels of one request; each label is in exactly one of the five.

    Args:
        counted: labels that count for the performance.
        not_countable: labels of a version or prediction whose labels cannot be counted; captured if capture is on.
        duplicates: labels of ids that already have one in this pod.
        other_version: labels of another version; captured if capture is on.
        invalid: position and error of each refused label.
    """

    counted: int = 0
    not_countable: int = 0
    duplicates: int = 0
    other_version: int = 0
    invalid: list[dict[str, Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The response body."""
        return dict(vars(self))


class Feedback:
    """Counts and captures labels.

    Args:
        model: what is served.
        recorder: counts labels.
        metrics: the metrics of the pod.
        clock: seconds since 1970.
        capture: captures labels for retraining; None without capture.
        recent: ids that already have a label.
    """

    def __init__(
        self,
        model: ServedModel,
        *,
        recorder: Recorder,
        metrics: Metrics,
        clock: Callable[[], float],
        capture: Capture | None = None,
        recent: RecentIds | None = None,
    ) -> None:
        manifest = model.manifest
        self._prefix = model.prefix
        self._classes = frozenset(manifest.classes)
        self._kind: FeatureType = "number" if manifest.task == "regression" else manifest.class_type
        self._recorder = recorder
        self._metrics = metrics
        self._clock = clock
        self._capture = capture
        self._recent = RecentIds() if recent is None else recent

    def accept(self, labels: object) -> Receipt:
        """Handle each label on its own: an invalid label does not affect the others.

        Raises:
            RequestError: the body is not a list of at most 10,000 labels.
        """
        if not isinstance(labels, list):
            raise unprocessable(f'body: must be a list of {{"id", "label"}} objects, got {json_kind(labels)}')
        if len(labels) > MAX_LABELS:
            raise unprocessable(
                f"body: must hold at most {MAX_LABELS} labels, got {len(labels)}; send more in several requests"
            )
        receipt = Receipt()
        for index, entry in enumerate(labels):
            try:
                outcome = self._handle(entry)
            except ValueError as error:
                receipt.invalid.append({"index": index, "error": str(error)})
                outcome = "invalid"
            else:
                setattr(receipt, outcome, getattr(receipt, outcome) + 1)
            self._metrics.labels.labels(outcome).inc()
        return receipt

    def _handle(self, entry: object) -> str:
        """The outcome of one label, as the name of a field of the receipt."""
        text, prediction, label = self._read(entry)
        if text in self._recent:
            return "duplicates"
        outcome = self._count(prediction, label)
        self._recent.add(text)
        if self._capture is not None:
            self._capture.add_label(CapturedLabel(text, label, self._clock()))
        return outcome

    def _count(self, prediction: PredictionId, label: Any) -> str:
        if prediction.version != self._prefix:
            return "other_version"
        if self._classes and class_text(label) not in self._classes:
            raise LabelError(f"label: must be one of {', '.join(sorted(self._classes))}")
        if prediction.answer is None or prediction.kind != self._recorder.profile.label_kind:
            return "not_countable"
        delay = self._clock() - prediction.time_ms / 1000
        self._recorder.record_label(prediction.answer, label, delay=delay)
        return "counted"

    def _read(self, entry: object) -> tuple[str, PredictionId, Any]:
        if not isinstance(entry, dict) or not {"id", "label"} <= entry.keys():
            raise ValueError("must be an object with the fields id and label")
        text, label = entry["id"], entry["label"]
        if not isinstance(text, str):
            raise ValueError(f"id: must be a string, got {json_kind(text)}")  # noqa: TRY004 - caught as one kind
        try:
            prediction = parse_id(text)
        except ValueError as error:
            raise ValueError(f"id: {error}") from None
        if not is_value_of(self._kind, label):
            raise ValueError(f"label: must be a {self._kind}, got {json_kind(label)}")
        return text, prediction, label
