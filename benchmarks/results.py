"""RESULTS.md: each benchmark replaces its own section and keeps the others."""

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
    """Write a section to the results file; create the file if it does not exist.

    Args:
        path: the file.
        section: Markdown that begins with a level-2 heading; it replaces the section with the same heading.
    """
    document = path.read_text() if path.exists() else TITLE
    path.write_text(replace_section(document, section))


def replace_section(document: str, section: str) -> str:
    """Return the document with the section replaced, or appended if there is none with the same heading.

    Args:
        document: Markdown with level-2 sections.
        section: Markdown that begins with a level-2 heading.

    Raises:
        ValueError: the section does not begin with a level-2 heading.
    """
    if not section.startswith("## "):
        raise ValueError(f"a section must begin with a heading of level 2 (## ...), got {section[:40]!r}")
    preamble, *sections = (part.strip() for part in _NEXT_SECTION.split(document))
    headings = [_heading(part) for part in sections]
    position = headings.index(_heading(section)) if _heading(section) in headings else len(sections)
    sections[position : position + 1] = [section.strip()]
    return "\n\n".join([preamble, *sections]) + "\n"


def markdown_table(print_table: Callable[[Console], None]) -> str:
    """Return what `print_table` prints on a console, without trailing spaces."""
    text = StringIO()
    print_table(Console(file=text, width=_WIDTH))
    return "\n".join(line.rstrip() for line in text.getvalue().strip().splitlines())


def _heading(section: str) -> str:
    return section.split("\n", 1)[0].rstrip()
