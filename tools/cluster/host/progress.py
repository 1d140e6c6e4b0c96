"""Progress messages with elapsed seconds, so that a slow first run does not look stuck."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STARTED = time.monotonic()


def echo(text: str) -> None:
    """Print one line to standard error, prefixed with the seconds since the program started.

    Standard output is reserved for the line that a shell evaluates.
    """
    print(f"{time.monotonic() - _STARTED:7.1f}s  {text}", file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print a message before and after a long step, with its duration."""
    echo(f"{text} ...")
    began = time.monotonic()
    yield
    echo(f"{text}: done in {time.monotonic() - began:.1f} s")
