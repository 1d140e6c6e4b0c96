"""A progress bar on stderr, if that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from perennate.tabular.reading import Ticker


@contextmanager
def ticker(words: str, *, shown: bool) -> Iterator[Ticker]:
    """A ticker that shows a progress bar.

    Args:
        words: label of the bar.
        shown: whether the user wants a bar.
    """
    if not (shown and sys.stderr.isatty()):
        yield lambda share: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(words, total=1.0)
        yield lambda share: progress.update(task, completed=min(share, 1.0))
