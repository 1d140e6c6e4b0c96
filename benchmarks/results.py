"""The document of results: each benchmark replaces its own section and keeps the others."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Final

from rich.console import Console

TITLE: Final = "# Results"
_WIDTH: Final = 200
_NEXT_SECTION: Final = re.compile(r"^(?=## )", re.MULTILINE)


def write_section(path: Path, section: str) -> None:
    """Put a section into the document of results; make the document if it does not exist.

    Args:
        path: the document.
        section: Markdown that begins with a heading of level 2; a section with the same heading is replaced.
    """
    document = path.read_text() if path.exists() else TITLE
    path.write_text(replace_section(document, section))


def replace_section(document: str, section: str) -> str:
    """The document with the section in the place of the one with the same heading, or at the end if there is none.

    Args:
        document: Markdown with sections of level 2.
        section: Markdown that begins with a heading of level 2.

    Raises:
        ValueError: the section does not begin with such a heading.
    """
    if not section.startswith("## "):
        raise ValueError(f"a section must begin with a heading of level 2 (## ...), got {section[:40]!r}")
    preamble, *sections = (part.strip() for part in _NEXT_SECTION.split(document))
    headings = [_heading(part) for part in sections]
    place = headings.index(_heading(section)) if _heading(section) in headings else len(sections)
    sections[place : place + 1] = [section.strip()]
    return "\n\n".join([preamble, *sections]) + "\n"


def markdown_table(print_table: Callable[[Console], None]) -> str:
    """What a function prints on a console, as lines of Markdown without spaces at their ends."""
    text = StringIO()
    print_table(Console(file=text, width=_WIDTH))
    return "\n".join(line.rstrip() for line in text.getvalue().strip().splitlines())


def _heading(section: str) -> str:
    return section.split("\n", 1)[0].rstrip()
