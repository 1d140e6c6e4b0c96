"""Texts for messages of one line. Imports nothing: a stage that reads a file starts without the drift engine."""

from __future__ import annotations

from typing import Final

MAX_SHOWN: Final = 60
"""Characters of a name or value that a message shows."""


def shortened(text: str) -> str:
    """A text that may be long, or hold ends of lines, for a message of one line."""
    short = text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in short)
