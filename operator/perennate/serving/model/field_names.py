"""Names of fields in error messages: how they are quoted, and which one the client probably meant."""

from __future__ import annotations

import json
import unicodedata
from difflib import get_close_matches
from heapq import nsmallest
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHOWN_NAME: Final = 100
"""Longer names are cut in messages, and are never suggested."""
LISTED_NAMES: Final = 5
"""Number of names that a message lists before it only counts them."""
CONSIDERED_NAMES: Final = 1000
"""Number of candidates that are considered: a record may have any number of fields."""
COMPARED_NAMES: Final = 20
"""Number of candidates of similar length that `difflib` compares, which takes up to 0.5 ms each."""
SIMILARITY: Final = 0.6
"""Least ratio of `difflib` at which a name is suggested."""


class Names:
    """Names among which the one is looked up that was probably meant.

    Args:
        candidates: the names; only the first `CONSIDERED_NAMES` count.
    """

    def __init__(self, candidates: Iterable[str]) -> None:
        self._by_key: dict[str, str] = {}
        for candidate in islice(candidates, CONSIDERED_NAMES):
            if len(candidate) <= SHOWN_NAME:
                self._by_key.setdefault(_key(candidate), candidate)

    def nearest(self, name: str) -> str | None:
        """The candidate that is most like a name; None if none is similar.

        Case, blanks, punctuation, accents and Unicode forms count as equal; otherwise the ratio of `difflib` decides.
        """
        if len(name) > SHOWN_NAME:
            return None
        key = _key(name)
        if key in self._by_key:
            return self._by_key[key]
        compared = nsmallest(COMPARED_NAMES, self._by_key, key=lambda other: abs(len(other) - len(key)))
        found = get_close_matches(key, compared, n=1, cutoff=SIMILARITY)
        return self._by_key[found[0]] if found else None


def quoted(name: str) -> str:
    """The name in quotes, as one line; with escapes if its characters do not show what it is."""
    shown = name if len(name) <= SHOWN_NAME else f"{name[:SHOWN_NAME]}..."
    readable = shown.isprintable() and unicodedata.is_normalized("NFC", shown)
    return json.dumps(shown, ensure_ascii=not readable)


def listed(names: Sequence[str]) -> str:
    """The first names in quotes, and the number of the others."""
    shown = ", ".join(map(quoted, names[:LISTED_NAMES]))
    rest = len(names) - LISTED_NAMES
    return f"{shown} and {rest} more" if rest > 0 else shown


def _key(name: str) -> str:
    """What is left of a name without case, accents, blanks and punctuation; the name itself if nothing is."""
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in decomposed if letter.isalnum()) or name
