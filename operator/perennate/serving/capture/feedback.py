"""`POST /feedback` with `[{"id": ..., "label": ...}]`: true labels of earlier predictions."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from perennate.drift import LabelError, class_text
from perennate.serving.capture.received_labels import (
    INVALID,
    LONGEST_DELAY_SECONDS,
    LabelReader,
    ReceivedLabel,
    Refusal,
)
from perennate.serving.capture.rows import CapturedLabel
from perennate.serving.request_error import json_kind, unprocessable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perennate.api.feature_types import FeatureType
    from perennate.drift import Recorder
    from perennate.serving.capture.rows import Capture
    from perennate.serving.capture.signing import Signer
    from perennate.serving.metrics import Metrics
    from perennate.serving.model.model import ServedModel

MAX_LABELS: Final = 10_000
"""Maximum labels of one request."""
REMEMBERED: Final = 100_000
"""Number of recent ids that a pod remembers to deduplicate labels. About 10 MiB when full."""
COUNTED: Final = "counted"
DUPLICATES: Final = "duplicates"


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
        invalid: position, reason and error of each refused label; `REFUSALS` describes the reasons.
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
        signer: checks the signatures of ids.
        capture: captures labels for retraining; None without capture.
        recent: ids that already have a label.
        longest_delay: age of a prediction in seconds above which its label is refused.
    """

    def __init__(
        self,
        model: ServedModel,
        *,
        recorder: Recorder,
        metrics: Metrics,
        clock: Callable[[], float],
        signer: Signer,
        capture: Capture | None = None,
        recent: RecentIds | None = None,
        longest_delay: float = LONGEST_DELAY_SECONDS,
    ) -> None:
        manifest = model.manifest
        self._prefix = model.prefix
        self._classes = frozenset(manifest.classes)
        kind: FeatureType = "number" if manifest.task == "regression" else manifest.class_type
        self._reader = LabelReader(manifest.model, kind, signer=signer, clock=clock, longest_delay=longest_delay)
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
        entries = self._reader.read(labels)
        receipt = Receipt()
        for index, outcome in enumerate(self._handle(entries)):
            if isinstance(outcome, Refusal):
                receipt.invalid.append({"index": index, "reason": outcome.reason, "error": outcome.error})
            else:
                setattr(receipt, outcome, getattr(receipt, outcome) + 1)
            name = outcome.reason if isinstance(outcome, Refusal) else outcome
            self._metrics.labels.labels(name).inc()
        return receipt

    def _handle(self, entries: Sequence[ReceivedLabel | Refusal]) -> list[str | Refusal]:
        """Count, remember and capture labels. Returns each outcome: a field of the receipt, or why it is refused."""
        new: set[str] = set()
        outcomes: list[str | Refusal] = []
        for entry in entries:
            outcome = self._outcome(entry, new) if isinstance(entry, ReceivedLabel) else entry
            if isinstance(entry, ReceivedLabel) and not isinstance(outcome, Refusal):
                new.add(entry.id)
            outcomes.append(outcome)
        self._record(entries, outcomes)
        for entry, outcome in zip(entries, outcomes, strict=True):
            if isinstance(entry, ReceivedLabel) and not isinstance(outcome, Refusal) and outcome != DUPLICATES:
                self._recent.add(entry.id)
                if self._capture is not None:
                    self._capture.add_label(CapturedLabel(entry.id, entry.label, self._clock()))
        return outcomes

    def _outcome(self, entry: ReceivedLabel, new: set[str]) -> str | Refusal:
        """The outcome of one label, before it is counted. `new` are the ids of labels before it in the request."""
        prediction = entry.prediction
        if entry.id in self._recent or entry.id in new:
            return DUPLICATES
        if prediction.version != self._prefix:
            return "other_version"
        if self._classes and class_text(entry.label) not in self._classes:
            return Refusal(INVALID, f"label: must be one of {', '.join(sorted(self._classes))}")
        if prediction.answer is None or prediction.kind != self._recorder.profile.label_kind:
            return "not_countable"
        return COUNTED

    def _record(self, entries: Sequence[ReceivedLabel | Refusal], outcomes: list[str | Refusal]) -> None:
        """Count the labels, together if possible. The outcome of one that cannot be counted becomes its error."""
        counted = [
            (index, entry)
            for index, (entry, outcome) in enumerate(zip(entries, outcomes, strict=True))
            if isinstance(entry, ReceivedLabel) and outcome == COUNTED
        ]
        try:
            self._record_all([entry for _, entry in counted])
        except LabelError:
            for index, entry in counted:
                try:
                    self._record_all([entry])
                except LabelError as error:
                    outcomes[index] = Refusal(INVALID, str(error))

    def _record_all(self, entries: Sequence[ReceivedLabel]) -> None:
        """Count labels; if one cannot be counted, none is."""
        if entries:
            now = self._clock()
            self._recorder.record_labels(
                [entry.prediction.answer or 0 for entry in entries],
                [entry.label for entry in entries],
                [max(0.0, now - entry.prediction.time_ms / 1000) for entry in entries],
            )
