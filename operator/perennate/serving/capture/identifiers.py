"""Prediction ids. An id holds everything that any pod needs to count a label, at any later time.

`<version>.<answer>.<time>.<random>`: the first 12 digits of the version's digest; the answer of the model; milliseconds
since 1970; ten random hexadecimal digits for the request and the number of the row in it.

The answer depends on how labels are counted: the bin of the score (two classes); `c` and the position of the predicted
class (more classes); `r` and the predicted value as 16 hexadecimal digits of a double (regression); `n` if labels are
not counted.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennate.drift.profile.profile import LabelKind

NO_ANSWER: Final = "n"
ROW_NUMBERS: Final = [f"{row:x}" for row in range(1024)]
"""Formatting the numbers takes most of the time of the ids of 1,000 rows, 5 % of that of a request."""
_PATTERN: Final = re.compile(
    r"([0-9a-f]{12})\.(?:([0-9]{1,3})|c([0-9]{1,3})|r([0-9a-f]{16})|n)\.([0-9]{13})\.([0-9a-f]{11,16})"
)


@dataclass(frozen=True)
class PredictionId:
    """The parts of an id.

    Args:
        version: first 12 digits of the version that made the prediction.
        kind: what the answer is; None without an answer.
        answer: a bin, a position or a value.
        time_ms: time of the prediction in milliseconds since 1970.
        random: tells apart rows of the same millisecond.
    """

    version: str
    kind: LabelKind | None
    answer: int | float | None
    time_ms: int
    random: str


def make_ids(
    *, version: str, kind: LabelKind | None, answers: Sequence[int | float | None], time_ms: int, token: str
) -> list[str]:
    """One id per row.

    Args:
        version: first 12 digits of the version.
        kind: how labels of the model are counted; None if they are not.
        answers: answer for each row; None if a label of the row cannot be counted.
        time_ms: milliseconds since 1970.
        token: ten random hexadecimal digits, new for every request.
    """
    # Many rows share an answer, unless it is a number, so the text before the row is made once for each answer.
    starts = {answer: f"{version}.{_text(kind, answer)}.{time_ms}.{token}" for answer in set(answers)}
    rows = ROW_NUMBERS if len(answers) <= len(ROW_NUMBERS) else [f"{row:x}" for row in range(len(answers))]
    return [starts[answer] + row for answer, row in zip(answers, rows, strict=False)]


def parse_id(text: str) -> PredictionId:
    """Read an id.

    Raises:
        ValueError: it is not an id.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError("must be a prediction id: <version>.<answer>.<time>.<random>")
    version, score_bin, position, value, time_ms, random = match.groups()
    kind: LabelKind | None = None
    answer: int | float | None = None
    if score_bin is not None:
        kind, answer = "scores", int(score_bin)
    elif position is not None:
        kind, answer = "classes", int(position)
    elif value is not None:
        kind, answer = "residuals", float(struct.unpack(">d", bytes.fromhex(value))[0])
    return PredictionId(version, kind, answer, int(time_ms), random)


def _text(kind: LabelKind | None, answer: float | None) -> str:
    """The answer as a part of an id."""
    if kind is None or answer is None:
        return NO_ANSWER
    if kind == "residuals":
        return f"r{struct.pack('>d', answer).hex()}"
    return f"c{answer}" if kind == "classes" else f"{answer}"
