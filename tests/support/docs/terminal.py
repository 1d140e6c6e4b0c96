"""One bash session that runs documented commands in order and compares their output."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import threading
import time
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.docs.pages import Step

LONGEST_SECONDS = 300.0
_MARK = "--- command ended with"
_LOOSE = re.compile(r"(\.\.\.|(?<!\w)(?=[\w.]*\d)[\w.]*\w[\w.]+)")
_ANY_TEXT = ".*"
_ANY_WORD = r"[\w.]+"


class CommandError(AssertionError):
    """A documented command failed, hung, or printed something else."""


def pattern(line: str) -> re.Pattern[str]:
    """The regular expression for a documented line.

    Whitespace matches any whitespace, and `...` any text. A word with a digit (a number, a digest, an age, the random
    suffix of a name) matches any such word, but single-digit numbers must be equal.
    """
    parts = _LOOSE.split(" ".join(line.split()))
    loose = [_ANY_TEXT if part == "..." else _ANY_WORD for part in parts[1::2]]
    exact = [re.escape(part) for part in parts[::2]]
    return re.compile("".join(chain.from_iterable(zip_longest(exact, loose, fillvalue=""))))


def missing(expected: Sequence[str], printed: Sequence[str]) -> str | None:
    """The first documented line that was not printed in the documented order; None if all were."""
    lines = iter(" ".join(line.split()) for line in printed)
    for wanted in expected:
        if wanted.strip() not in {"", "..."} and not any(pattern(wanted).fullmatch(line) for line in lines):
            return wanted
    return None


class Terminal:
    """One bash session; exports and background jobs last as long as it does."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._bash = subprocess.Popen(
            # A job that was started in the background ignores Ctrl-C, and so would everything below it.
            ["env", "--default-signal=INT", "bash", "--noprofile", "--norc"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def expect(self, step: Step, *, seconds: float = LONGEST_SECONDS) -> list[str]:
        """Run one command, compare its output and return it.

        A command that watches is interrupted, like by Ctrl-C, as soon as it has printed the documented lines.

        Raises:
            CommandError: it failed, did not end in time, or did not print what is documented.
        """
        deadline = time.monotonic() + seconds
        watches = re.search(r"--(watch|follow)\b", step.command) is not None
        self._send(step.command)
        printed: list[str] = []
        ended = interrupted = False
        while not (ended and missing(step.expected, printed) is None):
            line = self._next(step, printed, deadline)
            if line.startswith(_MARK):
                ended = True
                self._check_end(step, printed, line, interrupted=interrupted)
            else:
                printed.append(line)
            if watches and not ended and not interrupted and missing(step.expected, printed) is None:
                self._interrupt()
                interrupted = True
        return printed

    def close(self) -> None:
        """End bash and its jobs."""
        os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.wait()
        self._reader.join()
        for stream in (self._bash.stdin, self._bash.stdout):
            assert stream is not None
            stream.close()

    def _send(self, command: str) -> None:
        assert self._bash.stdin is not None
        self._bash.stdin.write(f"{{ {command}\n}} </dev/null; printf '\\n{_MARK} %d\\n' $?\n")
        self._bash.stdin.flush()

    def _read(self) -> None:
        assert self._bash.stdout is not None
        for line in self._bash.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def _next(self, step: Step, printed: list[str], deadline: float) -> str:
        try:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise CommandError(_story("took too long", step, printed)) from None
        if line is None:
            raise CommandError(_story("ended the terminal", step, printed))
        return line

    def _check_end(self, step: Step, printed: list[str], line: str, *, interrupted: bool) -> None:
        """Check that a command succeeded and printed what is documented; a background job may still run."""
        code = int(line.removeprefix(_MARK))
        if code and not (interrupted and code in {1, 128 + signal.SIGINT}):
            raise CommandError(_story(f"failed with exit code {code}", step, printed))
        background = step.command.rstrip().endswith("&")
        if not background and missing(step.expected, printed) is not None:
            raise CommandError(_story("printed something else", step, printed))

    def _interrupt(self) -> None:
        """Ctrl-C for the command in the foreground: the newest child of bash."""
        children = Path(f"/proc/{self._bash.pid}/task/{self._bash.pid}/children").read_text().split()
        os.kill(int(children[-1]), signal.SIGINT)


def _story(what: str, step: Step, printed: list[str]) -> str:
    wanted = missing(step.expected, printed)
    return "\n".join(
        [f"documented command {what}: {step.command}", f"documented line not seen: {wanted!r}", "printed:", *printed]
    )
