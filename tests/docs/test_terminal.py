"""The terminal of the document tests detects differences from the documented output."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.docs.pages import ROOT, Block, Step
from tests.support.docs.terminal import CommandError, Terminal, missing, pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT = 5.0


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A terminal in the root of the repository."""
    with Terminal(ROOT, os.environ) as opened:
        yield opened


def test_exports_persist_between_commands(terminal: Terminal) -> None:
    terminal.expect(Step("export COLOUR=green"))
    terminal.expect(Step('echo "the $COLOUR one"', ("the ... one",)))


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Step("false"), "failed with exit code 1"),
        (Step("echo one", ("two",)), "printed something else"),
        (Step("printf 'b\\na\\n'", ("a", "b")), "printed something else"),
        (Step("while :; do read -t 0.1 <> <(:); done"), "took too long"),
        (Step("exit 3"), "ended the terminal"),
    ],
    ids=["exit code", "other output", "other order", "hangs", "exits"],
)
def test_undocumented_behaviour_raises_an_error(terminal: Terminal, step: Step, error: str) -> None:
    """The error contains the command, the cause and the missing line."""
    with pytest.raises(CommandError, match=error):
        terminal.expect(step, seconds=1 if error == "took too long" else SHORT)


def test_a_command_that_watches_is_interrupted_after_the_expected_output(terminal: Terminal) -> None:
    """The next command runs."""
    terminal.expect(Step("tail --follow --lines=3 LICENSE", ("...",)), seconds=SHORT)
    terminal.expect(Step("echo on", ("on",)), seconds=SHORT)


def test_a_background_command_is_ready_after_its_expected_output(terminal: Terminal) -> None:
    """For example, `kubectl port-forward ... &` is used only once it listens."""
    terminal.expect(Step("(echo late; read -t 60 <> <(:)) &", ("late",)), seconds=SHORT)


def test_missing_returns_the_first_line_that_was_not_printed() -> None:
    """Lines must come in the documented order; `...` matches any text, and blanks are ignored."""
    printed = ["NAME   AGE", "rainfall   5s", "end"]
    assert missing(["NAME AGE", "rainfall ...", "..."], printed) is None
    assert missing(["NAME AGE", "end", "rainfall ..."], printed) == "rainfall ..."


@pytest.mark.parametrize(
    ("documented", "printed", "want"),
    [
        ("rainfall-3fa2b1c9 auc 0.87, 2m5s", "rainfall-abcdef01 auc 0.8613, 45s", True),
        ("serving 0123456789ab with 1 of 1 pod", "serving fedcba987654 with 1 of 1 pod", True),
        ("serving 0123456789ab with 1 of 1 pod", "serving fedcba987654 with 0 of 1 pod", False),
        ("rainfall Succeeded 0123456789ab", "rainfall Failed 0123456789ab", False),
        ("sha256:01...", "sha256:fe98", True),
    ],
)
def test_numbers_digests_and_ages_match_any_value(documented: str, printed: str, want: bool) -> None:
    """Words and single-digit numbers must be equal."""
    assert (pattern(documented).fullmatch(printed) is not None) == want


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("$ one\nout\n$ two\n", [Step("one", ("out",)), Step("two")]),
        ("one\ntwo  # why\n", [Step("one"), Step("two  # why")]),
        ("$ one \\\n  more\nout\n", [Step("one \\\n  more", ("out",))]),
        ("$ cat <<'EOF'\na\nEOF\nout\n", [Step("cat <<'EOF'\na\nEOF", ("out",))]),
    ],
)
def test_commands_are_parsed_from_blocks(text: str, steps: list[Step]) -> None:
    """With prompts, other lines are output. Backslashes and here-documents continue a command."""
    assert Block(ROOT / "README.md", 1, "console", text, "").steps() == steps
