"""`POST /feedback` with `[{"id": ..., "label": ...}]`: true labels of earlier predictions."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from perennate.api.feature_types import FeatureType, is_value_of
from perennate.drift import LabelError, class_text
from perennate.serving.capture.identifiers import PredictionId, are_genuine, parse_id
from perennate.serving.capture.rows import CapturedLabel
from perennate.serving.request_error import json_kind, unprocessable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perennate.drift import Recorder
    from perennate.serving.capture.rows import Capture
    from perennate.serving.capture.signing import Signer
    from perennate.serving.metrics import Metrics
    from perennate.serving.model.model import ServedModel

MAX_LABELS: Final = 10_000
"""Maximum labels of one request."""
REMEMBERED: Final = 100_000
"""Number of recent ids that a pod remembers to deduplicate labels. About 10 MiB when full."""
SKEW_SECONDS: Final = 60.0
"""How far the clock of the pod that made a prediction may be ahead of ours."""
LONGEST_DELAY_SECONDS: Final = 90 * 86_400.0
"""Age of a prediction above which its label is refused, unless captured rows are kept for longer."""


class RefusedLabelError(ValueError):
    """A label that is neither counted nor captured.

    Args:
        reason: a value of `REFUSALS`.
        message: what is wrong with it, for people.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


INVALID: Final = "invalid"
COUNTED: Final = "counted"
DUPLICATES: Final = "duplicates"
REFUSALS: Final = {
    INVALID: "The entry, the id or the label has another form than expected.",
    "unsigned": "The id has no signature, as those of release 0.1.0.",
    "forged": "The signature does not fit: no pod of the model line issued this id.",
    "future": "The prediction is over a minute ahead of the clock of the pod.",
    "too_old": "The prediction is too old.",
}
"""Reasons for refusing a label."""


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


@dataclass(frozen=True)
class _Entry:
    """A label that has the right form."""

    text: str
    prediction: PredictionId
    label: Any


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
        self._line = manifest.model
        self._classes = frozenset(manifest.classes)
        self._kind: FeatureType = "number" if manifest.task == "regression" else manifest.class_type
        self._recorder = recorder
        self._metrics = metrics
        self._clock = clock
        self._signer = signer
        self._longest_delay = longest_delay
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
        entries = self._read_all(labels)
        receipt = Receipt()
        for index, outcome in enumerate(self._handle(entries)):
            if isinstance(outcome, RefusedLabelError):
                receipt.invalid.append({"index": index, "reason": outcome.reason, "error": str(outcome)})
            else:
                setattr(receipt, outcome, getattr(receipt, outcome) + 1)
            name = outcome.reason if isinstance(outcome, RefusedLabelError) else outcome
            self._metrics.labels.labels(name).inc()
        return receipt

    def _handle(self, entries: Sequence[_Entry | RefusedLabelError]) -> list[str | RefusedLabelError]:
        """Count, remember and capture labels. Returns each outcome: a field of the receipt, or why it is refused."""
        new: set[str] = set()
        outcomes: list[str | RefusedLabelError] = []
        for entry in entries:
            outcome = self._outcome(entry, new) if isinstance(entry, _Entry) else entry
            if isinstance(entry, _Entry) and not isinstance(outcome, RefusedLabelError):
                new.add(entry.text)
            outcomes.append(outcome)
        self._record(entries, outcomes)
        for entry, outcome in zip(entries, outcomes, strict=True):
            if isinstance(entry, _Entry) and not isinstance(outcome, RefusedLabelError) and outcome != DUPLICATES:
                self._recent.add(entry.text)
                if self._capture is not None:
                    self._capture.add_label(CapturedLabel(entry.text, entry.label, self._clock()))
        return outcomes

    def _outcome(self, entry: _Entry, new: set[str]) -> str | RefusedLabelError:
        """The outcome of one label, before it is counted. `new` are the ids of labels before it in the request."""
        prediction = entry.prediction
        if entry.text in self._recent or entry.text in new:
            return DUPLICATES
        if prediction.version != self._prefix:
            return "other_version"
        if self._classes and class_text(entry.label) not in self._classes:
            return RefusedLabelError(INVALID, f"label: must be one of {', '.join(sorted(self._classes))}")
        if prediction.answer is None or prediction.kind != self._recorder.profile.label_kind:
            return "not_countable"
        return COUNTED

    def _record(self, entries: Sequence[_Entry | RefusedLabelError], outcomes: list[str | RefusedLabelError]) -> None:
        """Count the labels, together if possible. The outcome of one that cannot be counted becomes its error."""
        counted = [
            (index, entry)
            for index, (entry, outcome) in enumerate(zip(entries, outcomes, strict=True))
            if isinstance(entry, _Entry) and outcome == COUNTED
        ]
        try:
            self._record_all([entry for _, entry in counted])
        except LabelError:
            for index, entry in counted:
                try:
                    self._record_all([entry])
                except LabelError as error:
                    outcomes[index] = RefusedLabelError(INVALID, str(error))

    def _record_all(self, entries: Sequence[_Entry]) -> None:
        """Count labels; if one cannot be counted, none is."""
        if entries:
            now = self._clock()
            self._recorder.record_labels(
                [entry.prediction.answer or 0 for entry in entries],
                [entry.label for entry in entries],
                [max(0.0, now - entry.prediction.time_ms / 1000) for entry in entries],
            )

    def _read_all(self, labels: list[object]) -> list[_Entry | RefusedLabelError]:
        """Each label, or why it is refused. The signatures are checked together, which is much faster."""
        found = [self._read(entry) for entry in labels]
        entries = [entry for entry in found if isinstance(entry, _Entry)]
        genuine = iter(are_genuine([entry.prediction for entry in entries], self._signer))
        return [self._checked(entry, next(genuine)) if isinstance(entry, _Entry) else entry for entry in found]

    def _read(self, entry: object) -> _Entry | RefusedLabelError:
        if not isinstance(entry, dict) or not {"id", "label"} <= entry.keys():
            return RefusedLabelError(INVALID, "must be an object with the fields id and label")
        text, label = entry["id"], entry["label"]
        if not isinstance(text, str):
            return RefusedLabelError(INVALID, f"id: must be a string, got {json_kind(text)}")
        try:
            prediction = parse_id(text)
        except ValueError as error:
            return RefusedLabelError(INVALID, f"id: {error}")
        return _Entry(text, prediction, label)

    def _checked(self, entry: _Entry, is_genuine: bool) -> _Entry | RefusedLabelError:
        prediction = entry.prediction
        if prediction.signature is None:
            return RefusedLabelError("unsigned", "id: has no signature; send ids as the response had them")
        if not is_genuine:
            return RefusedLabelError(
                "forged", f"id: no pod of model line {self._line} issued it; send ids as the response had them"
            )
        age = self._clock() - prediction.time_ms / 1000
        if age < -SKEW_SECONDS:
            return RefusedLabelError("future", "id: its prediction is in the future; check the clocks of the nodes")
        if age > self._longest_delay:
            days = self._longest_delay / 86_400
            return RefusedLabelError("too_old", f"id: its prediction is over {days:g} days old; send labels earlier")
        if not is_value_of(self._kind, entry.label):
            return RefusedLabelError(INVALID, f"label: must be a {self._kind}, got {json_kind(entry.label)}")
        return entry
