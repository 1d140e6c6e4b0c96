"""Names of fields in error messages: how they are quoted and listed."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN_NAME: Final = 100
"""Longer names are truncated in messages."""
LISTED_NAMES: Final = 5
"""Number of names that a message lists before it only counts them."""
CONSIDERED_NAMES: Final = 1000
"""Number of fields that are considered as misspelt features: a record may have any number of fields."""


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
