"""Labels as `/feedback` receives them: read, and refused if no prediction of the model line has this id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perennate.api.feature_types import FeatureType, is_value_of
from perennate.serving.capture.identifiers import PredictionId, are_genuine, parse_id
from perennate.serving.request_error import json_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perennate.serving.capture.signing import Signer

SKEW_SECONDS: Final = 60.0
"""How far the clock of the pod that made a prediction may be ahead of ours."""
LONGEST_DELAY_SECONDS: Final = 90 * 86_400.0
"""Age of a prediction above which its label is refused, unless captured rows are kept for longer."""
LABEL_LENGTH: Final = 256
"""Maximum length of a class, as in the spec of a TrainingJob. Labels of other versions have no other limit."""
INVALID: Final = "invalid"
REFUSALS: Final = {
    INVALID: "The entry, the id or the label has another form than expected.",
    "unsigned": "The id has no signature, as those of release 0.1.0.",
    "forged": "The signature does not fit: no pod of the model line issued this id.",
    "future": "The prediction is over a minute ahead of the clock of the pod.",
    "too_old": "The prediction is too old.",
}
"""Reasons for refusing a label."""


@dataclass(frozen=True)
class Refusal:
    """Why a label is neither counted nor captured.

    Args:
        reason: a key of `REFUSALS`.
        error: what is wrong with it, for people.
    """

    reason: str
    error: str


@dataclass(frozen=True)
class ReceivedLabel:
    """A label of a prediction of the model line.

    Args:
        id: id of the prediction.
        prediction: its parts.
        label: the true class or number, as a JSON value.
    """

    id: str
    prediction: PredictionId
    label: Any


class LabelReader:
    """Reads labels.

    Args:
        line: the model line, for messages.
        kind: type of the labels.
        signer: checks the signatures of ids.
        clock: seconds since 1970.
        longest_delay: age of a prediction in seconds above which its label is refused.
    """

    def __init__(
        self, line: str, kind: FeatureType, *, signer: Signer, clock: Callable[[], float], longest_delay: float
    ) -> None:
        self._line = line
        self._kind = kind
        self._signer = signer
        self._clock = clock
        self._longest_delay = longest_delay

    def read(self, entries: Sequence[object]) -> list[ReceivedLabel | Refusal]:
        """Each label, or why it is refused. The signatures are checked together, which is much faster."""
        found = [_parse(entry) for entry in entries]
        labels = [label for label in found if isinstance(label, ReceivedLabel)]
        genuine = iter(are_genuine([label.prediction for label in labels], self._signer))
        return [
            self._refusal(label, is_genuine=next(genuine)) or label if isinstance(label, ReceivedLabel) else label
            for label in found
        ]

    def _refusal(self, label: ReceivedLabel, *, is_genuine: bool) -> Refusal | None:
        prediction = label.prediction
        if prediction.signature is None:
            return Refusal("unsigned", "id: has no signature; send ids as in the response")
        if not is_genuine:
            return Refusal(
                "forged", f"id: no pod of model line {self._line} issued it; send ids as the response had them"
            )
        age = self._clock() - prediction.time_ms / 1000
        if age < -SKEW_SECONDS:
            return Refusal("future", "id: its prediction is in the future; check the clocks of the nodes")
        if age > self._longest_delay:
            days = self._longest_delay / 86_400
            return Refusal("too_old", f"id: its prediction is over {days:g} days old; send labels earlier")
        if not is_value_of(self._kind, label.label):
            return Refusal(INVALID, f"label: must be a {self._kind}, got {json_kind(label.label)}")
        if isinstance(label.label, str) and len(label.label) > LABEL_LENGTH:
            return Refusal(INVALID, f"label: must have at most {LABEL_LENGTH} characters, got {len(label.label)}")
        return None


def _parse(entry: object) -> ReceivedLabel | Refusal:
    if not isinstance(entry, dict) or not {"id", "label"} <= entry.keys():
        return Refusal(INVALID, "must be an object with the fields id and label")
    text, label = entry["id"], entry["label"]
    if not isinstance(text, str):
        return Refusal(INVALID, f"id: must be a string, got {json_kind(text)}")
    try:
        return ReceivedLabel(text, parse_id(text), label)
    except ValueError as error:
        return Refusal(INVALID, f"id: {error}")
