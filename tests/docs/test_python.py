"""Python in documents runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.docs.pages import ROOT, TUTORIAL, Block, all_blocks

BLOCKS = [block for block in all_blocks("python") if block.page != TUTORIAL]


@pytest.mark.parametrize("block", BLOCKS, ids=Block.label)
def test_a_python_block_runs_and_prints_what_it_says(block: Block) -> None:
    """Run as a program of its own; a comment `# prints TEXT` at the end of a line is what that line prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block.text], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = [line.split("# prints ")[1] for line in block.text.splitlines() if "# prints " in line]
    assert done.stdout.splitlines() == said


def test_there_are_python_blocks() -> None:
    """The check above must not pass because it looks at nothing."""
    assert BLOCKS
