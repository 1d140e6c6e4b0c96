"""Text for people: counted nouns, and text truncated to the limits of status fields."""

from __future__ import annotations

from typing import Final

MESSAGE_LIMIT: Final = 1024
"""Maximum length of a condition message."""
TEXT_LIMIT: Final = 256
"""Maximum length of a short text in a status."""


def truncate(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """The text, truncated in the middle if it is too long: its start names the place, its end the cause."""
    text = text.strip()
    if len(text) <= limit:
        return text
    head = (limit - 3) // 2
    return f"{text[:head]}...{text[len(text) - (limit - 3 - head) :]}"


def pluralize(number: int, noun: str) -> str:
    """`1 pod`, `2 pods`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
