"""Prediction ids. An id holds everything that any pod needs to count a label, at any later time.

`<version>.<answer>.<time>.<random>.<signature>.<row>`: the first 12 digits of the version's digest; the answer of the
model; milliseconds since 1970; ten random hexadecimal digits for the request, and the number of its rows with this
answer; a signature of all that, see `signing`; the number of the row among them. So as many labels as rows can be
counted, and each for the answer that its row had.

The answer depends on how labels are counted: the bin of the score (two classes); `c` and the position of the predicted
class (more classes); `r` and the predicted value as 16 hexadecimal digits of a double (regression); `n` if labels are
not counted. In a regression, hardly any rows have the same answer, so each row of a larger request has a signature of
its own: `<version>.<answer>.<time>.<random>.<signature>`, and the number of the row is behind the random digits.
"""

from __future__ import annotations

import hmac
import re
import struct
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennate.drift.profile.profile import LabelKind
    from perennate.serving.capture.signing import Signer

NO_ANSWER: Final = "n"
ROW_NUMBERS: Final = [f"{row:x}" for row in range(1024)]
"""Formatting the numbers takes most of the time of the ids of 1,000 rows, 5 % of that of a request."""
TOKEN_DIGITS: Final = 10
FEW_ROWS: Final = 8
"""Up to here, one HMAC for each row of a regression is faster than signing an array."""
_PATTERN: Final = re.compile(
    r"(([0-9a-f]{12})\.(?:([0-9]{1,3})|c([0-9]{1,3})|r([0-9a-f]{16})|n)\.([0-9]{13})\.([0-9a-f]{11,16}))"
    # One spelling for each number: a row must not have two ids.
    r"(?:\.([0-9a-f]{16})(?:\.(0|[1-9a-f][0-9a-f]{0,5}))?)?"
)


@dataclass(frozen=True)
class PredictionId:
    """The parts of an id.

    Args:
        version: first 12 digits of the version that made the prediction.
        kind: what the answer is; None without an answer.
        answer: a bin, a position or a value.
        time_ms: time of the prediction in milliseconds since 1970.
        random: random digits of the request, then the number of its rows with this answer; in a regression, the
            number of the row.
        signed: the text that is signed.
        signature: its signature, None in ids of release 0.1.0.
        row: number of the row among those with this answer; None if the row has a signature of its own.
    """

    version: str
    kind: LabelKind | None
    answer: int | float | None
    time_ms: int
    random: str
    signed: str
    signature: str | None
    row: int | None


def make_ids(
    *,
    version: str,
    kind: LabelKind | None,
    answers: Sequence[int | float | None],
    time_ms: int,
    token: str,
    signer: Signer,
) -> list[str]:
    """One id per row.

    Args:
        version: first 12 digits of the version.
        kind: how labels of the model are counted; None if they are not.
        answers: answer for each row; None if a label of the row cannot be counted.
        time_ms: milliseconds since 1970.
        token: ten random hexadecimal digits, new for every request.
        signer: signs the ids.
    """
    rows = ROW_NUMBERS if len(answers) <= len(ROW_NUMBERS) else [f"{row:x}" for row in range(len(answers))]
    if kind == "residuals" and len(answers) > FEW_ROWS:
        return _ids_of_values(answers, rows, head=f"{version}.", tail=f".{time_ms}.{token}", signer=signer)
    ids = {}
    for answer, count in Counter(answers).items():
        text = f"{version}.{_text(kind, answer)}.{time_ms}.{token}{count:x}"
        ids[answer] = map(f"{text}.{signer.sign(text)}.".__add__, rows)
    # The next id of the answer of each row, without a loop in Python.
    return list(map(next, map(ids.__getitem__, answers)))


def parse_id(text: str) -> PredictionId:
    """Read an id. Its signature is not checked.

    Raises:
        ValueError: it is not an id.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError("must be a prediction id: <version>.<answer>.<time>.<random>.<signature>")
    signed, version, score_bin, position, value, time_ms, random, signature, row = match.groups()
    kind: LabelKind | None = None
    answer: int | float | None = None
    if score_bin is not None:
        kind, answer = "scores", int(score_bin)
    elif position is not None:
        kind, answer = "classes", int(position)
    elif value is not None:
        kind, answer = "residuals", float(struct.unpack(">d", bytes.fromhex(value))[0])
    number = None if row is None else int(row, 16)
    return PredictionId(version, kind, answer, int(time_ms), random, signed, signature, number)


def are_genuine(ids: Sequence[PredictionId], signer: Signer) -> list[bool]:
    """Whether each of the ids was issued by a pod of the model line, as it is."""
    rows = [found.signed for found in ids if found.row is None]
    of_rows = iter(signer.sign_rows(rows) if rows else ())
    return [_is_genuine(found, next(of_rows) if found.row is None else signer.sign(found.signed)) for found in ids]


def _is_genuine(found: PredictionId, signature: str) -> bool:
    if found.signature is None or not hmac.compare_digest(found.signature, signature):
        return False
    # The number of rows is signed, so it can be trusted now.
    return found.row is None or found.row < int(found.random[TOKEN_DIGITS:], 16)


def _ids_of_values(
    values: Sequence[float | None], rows: Sequence[str], *, head: str, tail: str, signer: Signer
) -> list[str]:
    """The ids of a regression; formatting all values at once takes a third of the time of single ones."""
    digits = np.array([0.0 if value is None else value for value in values], dtype=">f8").tobytes().hex()
    texts = [
        f"{head}{NO_ANSWER if value is None else f'r{digits[start : start + 16]}'}{tail}{row}"
        for value, start, row in zip(values, range(0, len(digits), 16), rows, strict=False)
    ]
    return [f"{text}.{signature}" for text, signature in zip(texts, signer.sign_rows(texts), strict=True)]


def _text(kind: LabelKind | None, answer: float | None) -> str:
    """The answer as a part of an id."""
    if kind is None or answer is None:
        return NO_ANSWER
    if kind == "residuals":
        return f"r{struct.pack('>d', answer).hex()}"
    return f"c{answer}" if kind == "classes" else f"{answer}"
