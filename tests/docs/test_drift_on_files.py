"""The tutorial on files works: its commands, in order, in one terminal."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.support.docs.pages import ROOT, run_by
from tests.support.docs.terminal import Terminal

FOLDER = ROOT / "build" / "drift-on-files"


def test_the_commands_of_the_tutorial_run_as_documented() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    commands = run_by(Path(__file__))
    assert {block.page.name for block in commands} == {"drift-on-files.md"}
    with Terminal(ROOT, os.environ) as terminal:
        for block in commands:
            for step in block.steps():
                terminal.expect(step)
