"""Python blocks in documents run."""

from __future__ import annotations

import subprocess
import sys
from itertools import takewhile

import pytest

from tests.support.docs.pages import ROOT, TUTORIAL, Block, all_blocks, blocks

BLOCKS = [block for block in all_blocks("python") if block.page != TUTORIAL and not block.runner]


def program(block: Block) -> list[Block]:
    """The block, after the blocks that it continues."""
    above = [earlier for earlier in blocks(block.page) if earlier.language == "python" and earlier.line < block.line]
    return [*(program(above[-1]) if block.remark == "continues" else []), block]


def expected_output(block: Block) -> list[str]:
    """The output that the comment at the end of a block documents."""
    comment = reversed(list(takewhile(lambda line: line.startswith("# "), reversed(block.text.splitlines()))))
    return [line.removeprefix("# ") for line in comment]


@pytest.mark.parametrize("block", BLOCKS, ids=Block.label)
def test_a_python_block_prints_the_documented_output(block: Block) -> None:
    """Each block is a separate program, together with the blocks that it continues."""
    parts = program(block)
    text = "".join(part.text for part in parts)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [line for part in parts for line in expected_output(part)]


def test_documents_contain_python_blocks() -> None:
    """Guards the test above against an empty list."""
    assert BLOCKS
