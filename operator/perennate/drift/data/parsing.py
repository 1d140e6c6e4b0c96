"""Parsing JSON that others wrote, in memory that its size bounds.

The objects that a parser makes can take 25 times the bytes that ask for them: `[],` takes 64 bytes, `{},` 72, `"ab",`
60. What they will take follows from a few counts of bytes, so it is known before anything is parsed.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import cache
from typing import Any, NoReturn

import numpy as np

from perennate.drift.data.errors import DocumentError

MEMORY: int = 10
"""Most bytes of memory for each byte of a document, beyond `FREE`."""
FREE: int = 2**19
"""Bytes of memory that every document may take. Ours need them where they are widest: short names of categories."""
SURELY_FREE: int = FREE // 64
"""No document of so few bytes can take more than `FREE`."""

# Bytes that CPython 3.11 takes for each of these; what grows is counted at its largest.
_LIST, _OBJECT, _TEXT, _NUMBER, _FLOAT, _SLOT, _CELL = 88, 184, 50, 28, 24, 9, 8
_KNOWN_KEY, _KEY = 24, 134
_WIDE_TEXT = 24
_QUOTE = ord('"')
_TWO, _FOUR = 0xC0, 0xF0
"""First bytes from which on a character takes two bytes or more in UTF-8, and four."""
_IN_NUMBERS = b"+-.0123456789Ee"
_NUMBERS = bytes(ord("d") if octet in _IN_NUMBERS else ord(" ") for octet in range(256))
"""Translates what numbers are made of to `d`, and all else to a space."""


def parse(content: bytes, error: type[DocumentError], *, names: Collection[str] = ()) -> Any:
    """The JSON in some bytes.

    Args:
        content: the bytes.
        error: exception that a refusal raises.
        names: fields that many objects of the document have; all objects share the memory of their names.

    Raises:
        DocumentError: it is no JSON in UTF-8, or the parser could take more memory than MEMORY and FREE allow.
    """
    allowed = MEMORY * len(content) + FREE
    needed = most_memory(content, names) if len(content) > SURELY_FREE else 0
    if needed > allowed:
        raise error(
            f"document: must take at most {allowed} bytes of memory when it is read, {MEMORY} times its own beyond "
            f"{FREE}, got up to {needed}"
        )

    def refuse(constant: str) -> NoReturn:
        """NaN and infinities are no JSON, although Python's reader takes them."""
        raise error(f"document: must hold finite numbers only, got {constant}")

    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=refuse, parse_int=_small().__getitem__)
    except (ValueError, RecursionError) as reason:
        if isinstance(reason, DocumentError):
            raise
        raise error(f"document: must be JSON: {reason}") from reason


def most_memory(content: bytes, names: Collection[str] = ()) -> int:
    """Most bytes that parsing and then reading a document takes at any moment, its own included; more if it is no JSON.

    Args:
        content: the document.
        names: as `parse` has it.
    """
    # What is escaped ends no string.
    plain = content.replace(rb"\\", b"__").replace(rb"\"", b"__")
    octets = np.frombuffer(plain, dtype=np.uint8)
    inside = np.bitwise_xor.accumulate((octets == _QUOTE).view(np.uint8)).view(np.bool_)
    outside = octets[~inside].tobytes()
    known = sum(plain.count(b'"%b":' % name.encode()) for name in names)
    keys, strings, commas = outside.count(b":"), outside.count(b'"'), outside.count(b",")
    width = 1 if content.isascii() else 2 if octets.max() < _FOUR else 4
    wide = int(np.count_nonzero(octets >= _TWO)) + plain.count(rb"\u")
    objects = (
        _LIST * outside.count(b"[")
        + _OBJECT * outside.count(b"{")
        + _KNOWN_KEY * known
        + _KEY * (keys - known)
        + _TEXT * (strings - known)
        + _WIDE_TEXT * min(wide, strings)
        + (4 if rb"\u" in plain else width) * int(np.count_nonzero(inside))
        # Whole numbers of fewer characters are shared.
        + _NUMBER * outside.translate(_NUMBERS).count(b" dddd")
        + _FLOAT * sum(map(outside.count, (b".", b"e", b"E")))
        + _SLOT * commas
    )
    # The text is given back before what was parsed is read into arrays; the bytes are not.
    return objects + max(width * len(content), _CELL * commas) + len(content)


class _Small(dict[str, int]):
    """Small whole numbers by their text, each of which is one object however often it comes; others are made anew."""

    def __missing__(self, text: str) -> int:
        """A number that is not small."""
        return int(text)


@cache
def _small() -> _Small:
    return _Small({str(number): number for number in range(-99, 1000)})
