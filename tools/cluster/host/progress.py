"""Progress lines with elapsed seconds, so that a first run that takes minutes never looks stuck."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STARTED = time.monotonic()


def say(text: str) -> None:
    """Print one line to standard error, after the seconds since this program started.

    Standard error, because the last line on standard output is the one that a shell evaluates.
    """
    print(f"{time.monotonic() - _STARTED:7.1f}s  {text}", file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announce a long step and say how many seconds it took."""
    say(f"{text} ...")
    began = time.monotonic()
    yield
    say(f"{text}: done in {time.monotonic() - began:.1f} s")
