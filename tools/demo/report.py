"""The end of the demo: AUC per thousand rows with and without the loop, as a table and a plot, and the verdict."""

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
GOOD = 0.80
LOST = 0.50
RECOVERY_ROW = 16_000
"""Row by which the loop must be back at GOOD."""


@dataclass(frozen=True)
class Bucket:
    """A thousand rows: AUC of the first model alone and of the loop, and the versions that answered."""

    first_row: int
    fixed: float
    loop: float
    versions: tuple[str, ...]


def auc(truth: Sequence[int], scores: Sequence[float]) -> float:
    """Area under the ROC curve; NaN where only one class is there."""
    return float(roc_auc_score(truth, scores)) if len(set(truth)) == 2 else math.nan


def buckets(timeline: Timeline, truth: Sequence[int], fixed: Sequence[float]) -> list[Bucket]:
    """AUC per thousand rows. `truth` and `fixed` hold one value for every row from FIRST_ROW on."""
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
    """The buckets for the terminal."""
    result = Table(title="AUC per 1,000 rows", title_justify="left")
    for name in ("rows from", "first model alone", "with the loop", "versions that answered"):
        result.add_column(name, justify="left" if "versions" in name else "right")
    for row in rows:
        colour = "green" if row.loop >= GOOD else "red"
        result.add_row(
            f"{row.first_row:,}", f"{row.fixed:.3f}", f"[{colour}]{row.loop:.3f}[/]", " → ".join(row.versions)
        )
    return result


def plot(rows: Sequence[Bucket], marks: Sequence[tuple[int, Entry]], folder: Path) -> list[Path]:
    """Draw both curves and the loop's decisions; writes auc.png and auc.svg into the folder."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots()
    middles = [row.first_row + BUCKET / 2 for row in rows]
    axes.plot(middles, [row.fixed for row in rows], "o--", color="tab:red", label="first model alone")
    axes.plot(middles, [row.loop for row in rows], "o-", color="tab:green", label="with the loop")
    axes.axvline(DRIFT_ROW, color="grey", linestyle=":", label="documented drift")
    for row, entry in marks:
        axes.axvline(row, color="tab:blue", alpha=0.4)
        axes.text(row, 0.99, f"{entry.reason} ", rotation=90, fontsize=8, va="top", ha="right", color="tab:blue")
    axes.set(xlabel="row", ylabel="AUC of 1,000 rows", ylim=(0.3, 1.0), title="Rainfall: a model that is kept alive")
    axes.legend(loc="lower left")
    paths = [folder / "auc.png", folder / "auc.svg"]
    for path in paths:
        figure.savefig(path, dpi=120)
    return paths


@dataclass(frozen=True)
class Check:
    """One thing that the demo promises, and whether it was so."""

    promise: str
    held: bool
    seen: str


def judge(timeline: Timeline, rows: Sequence[Bucket]) -> list[Check]:
    """What the demo promises, each with what was seen."""
    history = [(timeline.row_at(entry.time), entry) for entry in timeline.history()]
    policy = [(row, entry) for row, entry in history if entry.kind == "DriftPolicy"]
    drift = next(((row, e) for row, e in policy if e.reason == "DriftExceeded"), None)
    episodes = [(row, e) for row, e in policy if e.reason == "EpisodeOpened"]
    closed = [(row, e) for row, e in policy if e.reason == "LoopClosed"]
    restraints = [text for time, text in timeline.restraints if timeline.row_at(time) < DRIFT_ROW]
    why = restraints[-1] if restraints else "it did not say"
    back = next(row for row in rows if row.first_row == RECOVERY_ROW - BUCKET)
    sent = sum(request.rows for request in timeline.requests)
    return [
        Check(
            "every row was sent and no request failed",
            sent == LAST_ROW - FIRST_ROW and not timeline.failed,
            f"{sent:,} rows, {len(timeline.failed)} failed requests {[r.error for r in timeline.failed[:3]] or ''}",
        ),
        Check(
            f"harmless drift is found before row {DRIFT_ROW:,} and named",
            drift is not None and drift[0] < DRIFT_ROW and "visibility" in drift[1].message,
            f"row {drift[0]:,}: {drift[1].message}" if drift else "DriftDetected never became True",
        ),
        Check(
            f"no retraining before row {DRIFT_ROW:,}, and the policy says why",
            all(row >= DRIFT_ROW for row, _ in episodes) and "visibility" in why and "auc" in why,
            f"{why}; episodes at rows {[row for row, _ in episodes]}",
        ),
        Check("lost performance opens an episode", bool(episodes), episodes[0][1].message if episodes else "none"),
        Check("the new version serves: the loop closed", bool(closed), closed[0][1].message if closed else "never"),
        Check(
            f"by row {RECOVERY_ROW:,} the loop is back at {GOOD:.2f} or better, the first model alone is below 0.50",
            back.loop >= GOOD and back.fixed < LOST,
            f"AUC of the {BUCKET:,} rows before: {back.loop:.3f} with the loop, {back.fixed:.3f} without",
        ),
    ]


def verdict(console: Console, checks: Sequence[Check]) -> bool:
    """Print promise by promise what was seen; returns whether all were held."""
    for check in checks:
        mark = "[green]yes[/]" if check.held else "[bold red]NO[/]"
        console.print(f"{mark}  {check.promise}: [dim]{escape(check.seen)}[/]", soft_wrap=True)
    return all(check.held for check in checks)
