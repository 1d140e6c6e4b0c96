"""Python in documents runs."""

from __future__ import annotations

import subprocess
import sys
from itertools import takewhile

import pytest

from tests.docs.pages import ROOT, TUTORIAL, Block, all_blocks

BLOCKS = [block for block in all_blocks("python") if block.page != TUTORIAL]


@pytest.mark.parametrize("block", BLOCKS, ids=Block.label)
def test_a_python_block_runs_and_prints_what_it_says(block: Block) -> None:
    """Run as a program of its own; the comment at the end of a block is what the whole block prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block.text], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = block.text.splitlines()
    said = reversed(list(takewhile(lambda line: line.startswith("# "), reversed(lines))))
    assert done.stdout.splitlines() == [line.removeprefix("# ") for line in said]


def test_there_are_python_blocks() -> None:
    """The check above must not pass because it looks at nothing."""
    assert BLOCKS
