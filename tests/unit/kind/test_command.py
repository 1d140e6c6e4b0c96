"""The exit code of `python3 -m tests.kind` is that of its command."""

from __future__ import annotations

import os

import pytest

from tests.kind.__main__ import run
from tools.cluster.host.errors import ClusterError


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)])
def test_the_code_is_what_a_shell_gives(script: str, code: int) -> None:
    """A command that a signal ended gets 128 and the signal's number."""
    assert run(["sh", "-c", script], os.environ) == code


def test_the_environment_is_the_commands() -> None:
    """The command sees only the given environment: a variable of the user's may point to another engine."""
    assert run(["/bin/sh", "-c", '[ "$ONLY" = 1 ] && [ -z "$HOME" ]'], {"ONLY": "1"}) == 0


def test_a_missing_program_is_named() -> None:
    with pytest.raises(ClusterError, match="no-such-program"):
        run(["no-such-program"], os.environ)
