"""Ids of predictions: all that a label needs to be booked, by any pod, however late.

`<version>.<answer>.<time>.<random>`: the first 12 digits of the version's digest; what the model said; milliseconds
since 1970; ten random hexadecimal digits of the request and the row's number in it.

What the model said is, by how labels of it are counted: the bin of the row's score (two classes); `c` and the position
of the predicted class (more); `r` and the predicted value as 16 hexadecimal digits of a double (regression); or `n` if
they are not.
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
_PATTERN: Final = re.compile(
    r"([0-9a-f]{12})\.(?:([0-9]{1,3})|c([0-9]{1,3})|r([0-9a-f]{16})|n)\.([0-9]{13})\.([0-9a-f]{11,16})"
)


@dataclass(frozen=True)
class PredictionId:
    """What an id says.

    Args:
        version: first 12 digits of the version that predicted.
        kind: what the answer is; None if there is none.
        answer: what the model said: a bin, a position or a value.
        time_ms: when it was predicted, in milliseconds since 1970.
        random: what tells it from other rows of that moment.
    """

    version: str
    kind: LabelKind | None
    answer: int | float | None
    time_ms: int
    random: str


def make_ids(
    *, version: str, kind: LabelKind | None, answers: Sequence[int | float | None], time_ms: int, token: str
) -> list[str]:
    """One id a row.

    Args:
        version: first 12 digits of the version.
        kind: how labels of the model are counted.
        answers: what the model said to each row, None if nothing that a label could be booked by.
        time_ms: milliseconds since 1970.
        token: ten random hexadecimal digits, new for every request.
    """
    said = [NO_ANSWER if kind is None or answer is None else _text(kind, answer) for answer in answers]
    head, tail = f"{version}.", f".{time_ms}.{token}"
    return [f"{head}{text}{tail}{row:x}" for row, text in enumerate(said)]


def parse_id(text: str) -> PredictionId:
    """Read an id.

    Raises:
        ValueError: it is none.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError("must be an id as it stands in the answer of a prediction: <version>.<answer>.<time>.<random>")
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


def _text(kind: LabelKind, answer: float) -> str:
    """What the model said, in the form of an id."""
    if kind == "residuals":
        return f"r{struct.pack('>d', answer).hex()}"
    return f"c{answer}" if kind == "classes" else f"{answer}"
