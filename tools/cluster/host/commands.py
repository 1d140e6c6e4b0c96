"""Run other programs. A failure is reported in one sentence."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections import deque
from typing import TYPE_CHECKING

from tools.cluster.host.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

#: Number of output lines to show of a failed program: the last lines usually contain the cause.
_TAIL = 3


def tail(text: str, lines: int = _TAIL) -> str:
    """Return the last `lines` non-empty lines of `text`, joined by ' | '."""
    kept = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(kept[-lines:])


def run(
    command: Sequence[object],
    *,
    what: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout: float | None = None,
) -> str:
    """Run `command` to its end and return its standard output.

    Args:
        command: program and arguments, converted to strings; not a shell command.
        what: description of the step for the error message ("create the network namespace").
        cwd: folder to run in.
        env: variables added to this process's environment.
        stdin: text for standard input.
        timeout: seconds after which it is killed.

    Raises:
        ClusterError: the program is missing, failed, or timed out.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            input=stdin,
            timeout=timeout,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise ClusterError(f"Cannot {what}: the program {words[0]!r} is not installed.") from error
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"Cannot {what}: {words[0]!r} took longer than {timeout:.0f} s.") from error
    if done.returncode != 0:
        cause = tail(done.stderr) or tail(done.stdout) or "no output"
        raise ClusterError(f"Cannot {what}: `{shlex.join(words[:4])}` failed with exit code {done.returncode}: {cause}")
    return done.stdout


def run_streaming(
    command: Sequence[object],
    *,
    what: str,
    on_line: Callable[[str], None],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run `command` to its end and pass each line of its output to `on_line` as it is printed.

    Raises:
        ClusterError: the program is missing or failed; the message has the last lines of its output.
    """
    words = [str(word) for word in command]
    last: deque[str] = deque(maxlen=_TAIL)
    try:
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise ClusterError(f"Cannot {what}: the program {words[0]!r} is not installed.") from error
    with process:
        for line in process.stdout or ():
            if line.strip():
                last.append(line)
                on_line(line.rstrip())
    if process.returncode != 0:
        cause = tail("".join(last)) or "no output"
        raise ClusterError(
            f"Cannot {what}: `{shlex.join(words[:4])}` failed with exit code {process.returncode}: {cause}"
        )


def succeeds(command: Sequence[object], *, timeout: float = 10) -> bool:
    """Return whether `command` exists and succeeds within `timeout` seconds. Its output is discarded."""
    try:
        done = subprocess.run([str(word) for word in command], timeout=timeout, capture_output=True, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
