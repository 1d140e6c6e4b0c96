"""The live view: a table that updates on a terminal, a line now and then elsewhere."""

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
    """The three kinds as `kubectl get mlops` shows them."""
    result = Table(box=None, title_justify="left", padding=(0, 2, 0, 0))
    for name in ("kind", "name", "state", "summary"):
        result.add_column(name, no_wrap=name != "summary")
    for (kind, name), document in sorted(timeline.objects.items()):
        status = document.get("status", {})
        state = status.get("phase") or status.get("episode", {}).get("phase") or "Watching"
        result.add_row(kind, name, state, status.get("summary", ""))
    return result


def progress(timeline: Timeline, truth: list[int]) -> str:
    """One line: how far the traffic is and how good the answers were lately."""
    if not timeline.requests:
        return "traffic has not begun"
    last = timeline.requests[-1]
    recent = [request for request in timeline.requests if request.row > last.row - RECENT_ROWS]
    rows = [(truth[r.row - FIRST_ROW + k], score) for r in recent for k, score in enumerate(r.scores)]
    value = auc([label for label, _ in rows], [score for _, score in rows])
    return (
        f"row {last.row + last.rows:,} of {LAST_ROW:,} · version {last.version or '-'} · "
        f"AUC of the last 1,000 rows {value:.3f} · failed requests {len(timeline.failed)}"
    )


def decision(timeline: Timeline, entry: Entry) -> str:
    """One line of the story."""
    return f"row {timeline.row_at(entry.time):,}  {entry.kind}/{entry.name}  {entry.reason}  {entry.message}"


def render(timeline: Timeline, truth: list[int]) -> Group:
    """The whole live view."""
    with timeline.lock:
        done = timeline.requests[-1].row + timeline.requests[-1].rows - FIRST_ROW if timeline.requests else 0
        story = [decision(timeline, entry) for entry in timeline.history()[-12:]]
        return Group(
            Text(progress(timeline, truth), style="bold"),
            ProgressBar(total=LAST_ROW - FIRST_ROW, completed=done, width=60),
            overview(timeline),
            Text("\n".join(story), style="dim"),
        )


def watch(console: Console, timeline: Timeline, truth: list[int], finished: Callable[[], bool]) -> None:
    """Show the timeline until the traffic is through."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=2) as live:
            while not finished():
                live.update(render(timeline, truth))
                time.sleep(0.5)
            live.update(render(timeline, truth))
        return
    told, next_line = 0, 0.0
    while not finished():
        told = tell(console, timeline, told)
        if time.monotonic() >= next_line:
            with timeline.lock:
                console.print(progress(timeline, truth), soft_wrap=True)
            next_line = time.monotonic() + LINE_SECONDS
        time.sleep(0.5)
    tell(console, timeline, told)


def tell(console: Console, timeline: Timeline, told: int) -> int:
    """Print the decisions that were not printed yet; returns how many are now."""
    with timeline.lock:
        history = timeline.history()
        for entry in history[told:]:
            console.print(f"  {decision(timeline, entry)}", soft_wrap=True, highlight=False)
    return len(history)
