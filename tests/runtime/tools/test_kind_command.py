"""`python3 -m tests.kind` returns the exit code of its command."""

from __future__ import annotations

import os

import pytest

from tests.kind.__main__ import run
from tools.cluster.host.errors import ClusterError

pytestmark = pytest.mark.runtime


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)])
def test_exit_code_follows_the_convention_of_shells(script: str, code: int) -> None:
    """128 plus the signal number for a command that a signal ended."""
    assert run(["sh", "-c", script], os.environ) == code


def test_the_command_gets_only_the_given_environment() -> None:
    """A variable of the user may point to another engine."""
    assert run(["/bin/sh", "-c", '[ "$ONLY" = 1 ] && [ -z "$HOME" ]'], {"ONLY": "1"}) == 0


def test_the_error_names_a_missing_program() -> None:
    with pytest.raises(ClusterError, match="no-such-program"):
        run(["no-such-program"], os.environ)
