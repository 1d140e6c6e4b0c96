"""Files included in documents: a fenced block under `<!-- include FILE -->` has the content of that file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PAGES = ("*.md", "docs/**/*.md", "examples/*/*.md")
_INCLUDE = re.compile(r"^(<!-- include (?P<file>\S+) -->\n```\w*\n).*?^```$", re.MULTILINE | re.DOTALL)


def fill(text: str, root: Path) -> str:
    """Return the page with the current content of every included file.

    Raises:
        FileNotFoundError: an included file does not exist.
    """

    def block(match: re.Match[str]) -> str:
        return f"{match[1]}{(root / match['file']).read_text().rstrip()}\n```"

    return _INCLUDE.sub(block, text)


def files(root: Path) -> dict[str, str]:
    """Return the text of every page that includes a file, by path."""
    pages = sorted({page for pattern in PAGES for page in root.glob(pattern) if page.is_file()})
    texts = {page.relative_to(root).as_posix(): page.read_text() for page in pages}
    return {path: fill(text, root) for path, text in texts.items() if _INCLUDE.search(text)}
