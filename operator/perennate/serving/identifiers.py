"""Ids of predictions: all that a label needs to be booked, by any pod, however late.

`<version>.<score bin>.<time>.<random>`: the first 12 digits of the version's digest; the score bin, or `n` if the row
has none; milliseconds since 1970; ten random hexadecimal digits of the request and the row's number in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_BIN: Final = "n"
_PATTERN: Final = re.compile(r"([0-9a-f]{12})\.([0-9]{1,3}|n)\.([0-9]{13})\.([0-9a-f]{11,16})")


@dataclass(frozen=True)
class PredictionId:
    """What an id says.

    Args:
        version: first 12 digits of the version that predicted.
        score_bin: bin of the row's score, None if it has none.
        time_ms: when it was predicted, in milliseconds since 1970.
        random: what tells it from other rows of that moment.
    """

    version: str
    score_bin: int | None
    time_ms: int
    random: str


def make_ids(*, version: str, score_bins: Sequence[int], time_ms: int, token: str) -> list[str]:
    """One id a row.

    Args:
        version: first 12 digits of the version.
        score_bins: bin of each row's score, negative if it has none.
        time_ms: milliseconds since 1970.
        token: ten random hexadecimal digits, new for every request.
    """
    return [
        f"{version}.{place if place >= 0 else NO_BIN}.{time_ms}.{token}{row:x}" for row, place in enumerate(score_bins)
    ]


def parse_id(text: str) -> PredictionId:
    """Read an id.

    Raises:
        ValueError: it is none.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(
            "must be an id as it stands in the answer of a prediction: <version>.<score bin>.<time>.<random>"
        )
    version, place, time_ms, random = match.groups()
    return PredictionId(version, None if place == NO_BIN else int(place), int(time_ms), random)
