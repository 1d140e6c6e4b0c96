"""Parser of the documents for tests: pages, fenced blocks, commands, and the tests that run them.

A comment right above a block describes it:

    <!-- include FILE -->     the block equals that file (`make generate` updates it)
    <!-- run by FILE -->      that test runs the commands and compares their output
    <!-- by name -->          tests/docs/named_commands.py lists the commands
    <!-- continues -->        the Python continues the Python blocks above it on the page
    <!-- not run: REASON -->  no test runs the commands, and the page says so

Commands of the tutorial are run by its own test unless a comment says otherwise; those of all other pages must be
listed by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
TUTORIAL = ROOT / "docs" / "tutorial" / "rainfall.md"
TUTORIAL_TEST = "tests/e2e/test_tutorial.py"
SHELLS = frozenset({"bash", "console"})
_FENCE = re.compile(r"^```(\w*)$")
_COMMENT = re.compile(r"^<!-- (.+) -->$")
_HEREDOC = re.compile(r"<<-?'?(\w+)'?")


@dataclass(frozen=True)
class Step:
    """One command and its documented output. `...` in a line matches any text, and alone any lines."""

    command: str
    expected: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """A fenced block. `remark` is the comment above it without its brackets, or empty."""

    page: Path
    line: int
    language: str
    text: str
    remark: str

    def label(self) -> str:
        """Page and line, for messages and test ids."""
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"

    def steps(self) -> list[Step]:
        """The commands of a shell block, each with its output."""
        return list(_steps(self.text.splitlines()))

    @property
    def runner(self) -> str:
        """Path of the test that runs the commands; empty if no test runs the block."""
        if self.remark.startswith("run by "):
            return self.remark.removeprefix("run by ")
        return TUTORIAL_TEST if self.page == TUTORIAL and not self.remark else ""


@cache
def pages() -> tuple[Path, ...]:
    """Every page of the documentation."""
    found = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/*/*.md"),
        *ROOT.glob("changelog.d/*.md"),
    ]
    return tuple(sorted(found))


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    """The fenced blocks of a page, in order.

    Raises:
        ValueError: a fence is not closed.
    """
    return tuple(_blocks(page, page.read_text().splitlines()))


def all_blocks(*languages: str) -> list[Block]:
    """The blocks of all pages that are in one of the languages."""
    return [block for page in pages() for block in blocks(page) if block.language in languages]


def run_by(test: Path) -> list[Block]:
    """The shell blocks that a test file runs, in page order."""
    name = test.relative_to(ROOT).as_posix()
    return [block for block in all_blocks(*SHELLS) if block.runner == name]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    lines = page.read_text().splitlines()
    inside = {
        number for block in blocks(page) for number in range(block.line, block.line + len(block.text.splitlines()) + 2)
    }
    return "\n".join(line for number, line in enumerate(lines, start=1) if number not in inside)


def _blocks(page: Path, lines: list[str]) -> Iterator[Block]:
    start, language, remark = 0, "", ""
    for number, line in enumerate(lines, start=1):
        fence = _FENCE.match(line)
        if fence and not start:
            above = _COMMENT.match(lines[number - 2]) if number > 1 else None
            start, language, remark = number, fence.group(1), above.group(1) if above else ""
        elif fence:
            yield Block(page, start, language, "\n".join(lines[start : number - 1]) + "\n", remark)
            start = 0
    if start:
        raise ValueError(f"{page}:{start}: the block is never closed with ```")


def _steps(lines: list[str]) -> Iterator[Step]:
    """With prompts (`$ `), other lines are output; without any, each line is a command."""
    prompted = any(line.startswith("$ ") for line in lines)
    rest = list(lines)
    while rest:
        line = rest.pop(0)
        if prompted and not line.startswith("$ "):
            raise ValueError(f"output before the first command: {line!r}")
        command = line.removeprefix("$ ") + "".join(f"\n{more}" for more in _continuation(line, rest))
        expected = []
        while prompted and rest and not rest[0].startswith("$ "):
            expected.append(rest.pop(0))
        if command.strip() and not command.startswith("#"):
            yield Step(command, tuple(expected))


def _continuation(line: str, rest: list[str]) -> Iterator[str]:
    """Take the lines that belong to the command: after a backslash, and up to the end of a here-document."""
    heredoc = _HEREDOC.search(line)
    while rest and line.endswith("\\"):
        line = rest.pop(0)
        yield line
    while heredoc and rest:
        line = rest.pop(0)
        yield line
        if line == heredoc.group(1):
            return
