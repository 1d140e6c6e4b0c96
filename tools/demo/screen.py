"""The live view: a table on a terminal, otherwise a line every few seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tools.demo.report import auc
from tools.demo.timeline import FIRST_ROW, LAST_ROW, Entry, Timeline

if TYPE_CHECKING:
    from collections.abc import Callable

RECENT_ROWS = 1_000
LINE_SECONDS = 15


def overview(timeline: Timeline) -> Table:
    """Return the objects as in `kubectl get mlops`."""
    result = Table(box=None, title_justify="left", padding=(0, 2, 0, 0))
    for name in ("kind", "name", "state", "summary"):
        result.add_column(name, no_wrap=name != "summary")
    for (kind, name), document in sorted(timeline.objects.items()):
        status = document.get("status", {})
        state = status.get("phase") or status.get("episode", {}).get("phase") or "Watching"
        result.add_row(kind, name, state, status.get("summary", ""))
    return result


def progress(timeline: Timeline, truth: list[int]) -> str:
    """Return one line with the progress of the traffic and the recent AUC."""
    if not timeline.requests:
        return "traffic has not started"
    last = timeline.requests[-1]
    recent = [request for request in timeline.requests if request.row > last.row - RECENT_ROWS]
    rows = [(truth[r.row - FIRST_ROW + k], score) for r in recent for k, score in enumerate(r.scores)]
    value = auc([label for label, _ in rows], [score for _, score in rows])
    return (
        f"row {last.row + last.rows:,} of {LAST_ROW:,} · version {last.version or '-'} · "
        f"AUC of the last 1,000 rows {value:.3f} · failed requests {len(timeline.failed)}"
    )


def decision(timeline: Timeline, entry: Entry) -> str:
    """Return one line for a decision of the operator."""
    return f"row {timeline.row_at(entry.time):,}  {entry.kind}/{entry.name}  {entry.reason}  {entry.message}"


def render(timeline: Timeline, truth: list[int]) -> Group:
    """Return the live view."""
    with timeline.lock:
        done = timeline.requests[-1].row + timeline.requests[-1].rows - FIRST_ROW if timeline.requests else 0
        story = [decision(timeline, entry) for entry in timeline.history()[-12:]]
        return Group(
            Text(progress(timeline, truth), style="bold"),
            ProgressBar(total=LAST_ROW - FIRST_ROW, completed=done, width=60),
            overview(timeline),
            Text("\n".join(story), style="dim"),
        )


def show_progress(console: Console, timeline: Timeline, truth: list[int], finished: Callable[[], bool]) -> None:
    """Show the timeline until the traffic has finished."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=2) as live:
            while not finished():
                live.update(render(timeline, truth))
                time.sleep(0.5)
            live.update(render(timeline, truth))
        return
    printed, next_line = 0, 0.0
    while not finished():
        printed = print_new_decisions(console, timeline, printed)
        if time.monotonic() >= next_line:
            with timeline.lock:
                console.print(progress(timeline, truth), soft_wrap=True)
            next_line = time.monotonic() + LINE_SECONDS
        time.sleep(0.5)
    print_new_decisions(console, timeline, printed)


def print_new_decisions(console: Console, timeline: Timeline, printed: int) -> int:
    """Print the decisions after the first `printed` ones. Return the total number."""
    with timeline.lock:
        history = timeline.history()
        for entry in history[printed:]:
            console.print(f"  {decision(timeline, entry)}", soft_wrap=True, highlight=False)
    return len(history)
