"""Suggestions for names that do not exist: the names that were probably meant. Imports only the standard library."""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher, get_close_matches
from heapq import nsmallest
from itertools import islice, takewhile
from operator import eq
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_LENGTH: Final = 100
"""Longer names are never suggested."""
MAX_COMPARED: Final = 10
"""Number of candidates that `difflib` compares with a name, which takes up to 0.5 ms each."""
SIMILARITY: Final = 0.6
"""Least ratio of `difflib` at which a name is suggested."""


class Names:
    """Names from which those that were probably meant are suggested.

    Args:
        candidates: the names that exist.
        most: only the first so many count; None for all. It bounds the work for names that a client sends.
    """

    def __init__(self, candidates: Iterable[str], *, most: int | None = None) -> None:
        self._by_key: dict[str, list[str]] = {}
        for candidate in islice(candidates, most):
            if len(candidate) <= MAX_LENGTH:
                self._by_key.setdefault(_key(candidate), []).append(candidate)

    def nearest(self, name: str) -> str | None:
        """The candidate that is most like a name; None if none is similar."""
        return next(iter(self.similar(name, most=1)), None)

    def similar(self, name: str, *, most: int = 2, least: float = SIMILARITY) -> tuple[str, ...]:
        """The candidates that are most like a name, the most similar first.

        Case, blanks, punctuation, accents and Unicode forms count as equal; if no candidate is equal, the ratio of
        `difflib` decides.

        Args:
            name: the name that does not exist.
            most: the greatest number of candidates.
            least: the least ratio of `difflib`.
        """
        if len(name) > MAX_LENGTH:
            return ()
        key = _key(name)
        equal = self._by_key.get(key, [])[:MAX_COMPARED]
        if equal:
            return tuple(sorted(equal, key=lambda other: -SequenceMatcher(None, other, name).ratio())[:most])
        compared = nsmallest(MAX_COMPARED, self._by_key, key=lambda other: _difference(key, other))
        return tuple(self._by_key[other][0] for other in get_close_matches(key, compared, n=most, cutoff=least))


def did_you_mean(names: Iterable[str], quote: Callable[[str], str] = repr) -> str:
    """The question that messages ask: `did you mean 'age' or 'wage'?`; empty without names."""
    shown = " or ".join(map(quote, names))
    return f"did you mean {shown}?" if shown else ""


def _difference(key: str, other: str) -> int:
    """A quick estimate of how different two names are: the letters that neither start nor end have in common."""
    start = sum(1 for _ in takewhile(bool, map(eq, key, other)))
    end = sum(1 for _ in takewhile(bool, map(eq, reversed(key), reversed(other))))
    return len(key) + len(other) - 2 * min(start + end, len(key), len(other))


def _key(name: str) -> str:
    """What is left of a name without case, accents, blanks and punctuation; the name itself if nothing is."""
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in decomposed if letter.isalnum()) or name
