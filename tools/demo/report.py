"""The report of the demo: AUC per 1,000 rows with and without the loop, as a table and a plot, and the checks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from rich.markup import escape
from rich.table import Table
from sklearn.metrics import roc_auc_score

from tools.demo.timeline import DRIFT_ROW, FIRST_ROW, LAST_ROW, Entry, Timeline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

BUCKET = 1_000
MIN_LOOP_AUC = 0.80
MAX_FIXED_AUC = 0.50
RECOVERY_ROW = 16_000
"""Row by which the loop must reach MIN_LOOP_AUC again."""


@dataclass(frozen=True)
class Bucket:
    """1,000 rows: the AUC of the first model alone and of the loop, and the versions that answered."""

    first_row: int
    fixed: float
    loop: float
    versions: tuple[str, ...]


def auc(truth: Sequence[int], scores: Sequence[float]) -> float:
    """Return the area under the ROC curve; NaN if there is only one class."""
    return float(roc_auc_score(truth, scores)) if len(set(truth)) == 2 else math.nan


def buckets(timeline: Timeline, truth: Sequence[int], fixed: Sequence[float]) -> list[Bucket]:
    """Return the AUC per 1,000 rows. `truth` and `fixed` have one value per row from FIRST_ROW on."""
    answered = {request.row + k: score for request in timeline.requests for k, score in enumerate(request.scores)}
    result = []
    for first in range(FIRST_ROW, LAST_ROW, BUCKET):
        rows = [row for row in range(first, first + BUCKET) if row in answered]
        labels = [truth[row - FIRST_ROW] for row in rows]
        served = {r.version: None for r in timeline.requests if first <= r.row < first + BUCKET and r.version}
        result.append(
            Bucket(
                first,
                auc(labels, [fixed[row - FIRST_ROW] for row in rows]),
                auc(labels, [answered[row] for row in rows]),
                tuple(served),
            )
        )
    return result


def table(rows: Sequence[Bucket]) -> Table:
    """Return the buckets as a table for the terminal."""
    result = Table(title="AUC per 1,000 rows", title_justify="left")
    for name in ("rows from", "first model alone", "with the loop", "versions that answered"):
        result.add_column(name, justify="left" if "versions" in name else "right")
    for row in rows:
        colour = "green" if row.loop >= MIN_LOOP_AUC else "red"
        result.add_row(
            f"{row.first_row:,}", f"{row.fixed:.3f}", f"[{colour}]{row.loop:.3f}[/]", " → ".join(row.versions)
        )
    return result


def plot(rows: Sequence[Bucket], marks: Sequence[tuple[int, Entry]], folder: Path) -> list[Path]:
    """Plot both curves and the decisions of the loop as auc.png and auc.svg in `folder`."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots()
    middles = [row.first_row + BUCKET / 2 for row in rows]
    axes.plot(middles, [row.fixed for row in rows], "o--", color="tab:red", label="first model alone")
    axes.plot(middles, [row.loop for row in rows], "o-", color="tab:green", label="with the loop")
    axes.axvline(DRIFT_ROW, color="grey", linestyle=":", label="documented drift")
    for row, entry in marks:
        axes.axvline(row, color="tab:blue", alpha=0.4)
        axes.text(row, 0.99, f"{entry.reason} ", rotation=90, fontsize=8, va="top", ha="right", color="tab:blue")
    axes.set(
        xlabel="row", ylabel="AUC of 1,000 rows", ylim=(0.3, 1.0), title="Rainfall: AUC with and without retraining"
    )
    axes.legend(loc="lower left")
    paths = [folder / "auc.png", folder / "auc.svg"]
    for path in paths:
        figure.savefig(path, dpi=120)
    return paths


@dataclass(frozen=True)
class Check:
    """A promise of the demo, and whether it was kept."""

    promise: str
    passed: bool
    observed: str


def check_promises(timeline: Timeline, rows: Sequence[Bucket]) -> list[Check]:
    """Check every promise of the demo."""
    history = [(timeline.row_at(entry.time), entry) for entry in timeline.history()]
    policy = [(row, entry) for row, entry in history if entry.kind == "DriftPolicy"]
    drift = next(((row, e) for row, e in policy if e.reason == "DriftExceeded"), None)
    episodes = [(row, e) for row, e in policy if e.reason == "EpisodeOpened"]
    closed = [(row, e) for row, e in policy if e.reason == "LoopClosed"]
    no_trigger_messages = [text for time, text in timeline.no_trigger_messages if timeline.row_at(time) < DRIFT_ROW]
    why = no_trigger_messages[-1] if no_trigger_messages else "no message"
    back = next(row for row in rows if row.first_row == RECOVERY_ROW - BUCKET)
    sent = sum(request.rows for request in timeline.requests)
    return [
        Check(
            "every row was sent once and no request failed",
            sent == LAST_ROW - FIRST_ROW and not timeline.failed,
            f"{sent:,} rows, {len(timeline.failed)} failed requests {[r.error for r in timeline.failed[:3]] or ''}",
        ),
        Check(
            f"the harmless drift is detected before row {DRIFT_ROW:,}, with the name of the feature",
            drift is not None and drift[0] < DRIFT_ROW and "visibility" in drift[1].message,
            f"row {drift[0]:,}: {drift[1].message}" if drift else "DriftDetected never became True",
        ),
        Check(
            f"no retraining before row {DRIFT_ROW:,}, and the policy says why not",
            all(row >= DRIFT_ROW for row, _ in episodes) and "visibility" in why and "auc" in why,
            f"{why}; episodes at rows {[row for row, _ in episodes]}",
        ),
        Check("a loss of performance opens an episode", bool(episodes), episodes[0][1].message if episodes else "none"),
        Check(
            "every pod serves the new version: the loop closed",
            bool(closed),
            closed[0][1].message if closed else "never",
        ),
        Check(
            f"by row {RECOVERY_ROW:,} the AUC is at least {MIN_LOOP_AUC:.2f} with the loop, "
            f"and below {MAX_FIXED_AUC:.2f} without",
            back.loop >= MIN_LOOP_AUC and back.fixed < MAX_FIXED_AUC,
            f"AUC of the {BUCKET:,} rows before: {back.loop:.3f} with the loop, {back.fixed:.3f} without",
        ),
    ]


def print_checks(console: Console, checks: Sequence[Check]) -> bool:
    """Print the result of every check. Return whether all passed."""
    for check in checks:
        mark = "[green]yes[/]" if check.passed else "[bold red]NO[/]"
        console.print(f"{mark}  {check.promise}: [dim]{escape(check.observed)}[/]", soft_wrap=True)
    return all(check.passed for check in checks)
