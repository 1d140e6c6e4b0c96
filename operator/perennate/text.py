"""Names and values from files and requests, in texts for people: messages, terminals, Markdown.

Imports nothing: a stage that reads a file starts without the drift engine. HTML pages are written by `xml.etree`, which
escapes names on its own.
"""

from __future__ import annotations

import re
from typing import Final

MAX_SHOWN: Final = 60
"""Characters of a name or value that a message shows."""
MARKDOWN: Final = re.compile(r"[\\`*_\[\]<>&|~!]")
"""Punctuation that can begin a construct of Markdown or HTML inside of a line. After a backslash it is plain text."""
BACKTICKS: Final = re.compile(r"`+")


def shortened(text: str) -> str:
    """A text that may be long, or hold ends of lines, for a message of one line."""
    return printable(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}...")


def printable(text: str) -> str:
    """A text of one line, with escapes for characters that control a terminal or the direction of writing."""
    return text if text.isprintable() else "".join(map(_visible, text))


def code_span(text: str) -> str:
    """A text as code in Markdown: nothing in it is interpreted. A table still has to escape the bars."""
    shown = printable(" ".join(text.split()))
    longest = max(map(len, BACKTICKS.findall(shown)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest or not shown else ""
    return f"{fence}{space}{shown}{space}{fence}"


def markdown(text: str) -> str:
    """A text as plain text in Markdown, on one line."""
    return MARKDOWN.sub(r"\\\g<0>", printable(" ".join(text.split())))


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else repr(letter)[1:-1]
