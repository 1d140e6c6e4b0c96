"""Process identities that are safe against reuse of a process id."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PROC = Path("/proc")
#: Field 22 of /proc/PID/stat, counted after the closing parenthesis of the command name (field 2), which may contain
#: spaces.
_START_TIME_FIELD = 22 - 3
_STATE_FIELD = 3 - 3


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A unique process: its id, its start time (clock ticks since boot), and the id of the boot."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> ProcessId:
        """Return the identity of the running process `pid`.

        Raises:
            ProcessLookupError: there is no such process.
        """
        fields = _stat(pid)
        if fields is None:
            raise ProcessLookupError(pid)
        return cls(pid=pid, started=int(fields[_START_TIME_FIELD]), boot=_boot())

    def alive(self) -> bool:
        """Return whether this process is still running. A zombie is not."""
        fields = _stat(self.pid)
        return (
            fields is not None
            and fields[_STATE_FIELD] != "Z"
            and int(fields[_START_TIME_FIELD]) == self.started
            and _boot() == self.boot
        )

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to this process, but not to another one that reuses its id."""
        if self.alive():
            os.kill(self.pid, number)


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def command_line(pid: int) -> list[str]:
    """Return the command line of process `pid`, or an empty list if it has ended."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid: int) -> list[int]:
    """Return the ids of all descendants of `pid`, nearest first."""
    parents: dict[int, list[int]] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))) is not None:
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(0), [])
        found += children
        waiting += children
    return found


def wait_until(condition: Callable[[], bool], *, seconds: float, pause: float = 0.05) -> bool:
    """Poll `condition` every `pause` seconds until it is true. Return False after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
