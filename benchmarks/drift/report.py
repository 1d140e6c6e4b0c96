"""The findings as a table for people, and as a section of the document of results."""

from __future__ import annotations

import datetime as dt
import os
import platform
from importlib.metadata import version
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.drift.bounds import Finding
from benchmarks.drift.sweep import PODS, READ
from benchmarks.results import markdown_table

LIBRARIES: Final = ("numpy", "scipy", "scikit-learn", "orjson", "prometheus-client")
SECTION: Final = """\
## Drift

Written by `make bench-drift`; do not edit.

{date}, {machine}, Python {python}, {libraries}.
Load average {before:.1f} before the run and {after:.1f} after it.

{table}

Ours and the others take turns; a ratio is the median over the rounds. Seconds are of this machine; only the ratios are
claims, save for a verdict: it is compared with a number, and its time is that of the fastest round. It is one on 20
features and the score, from counts that are new each time. Lines without a bound are told for their own sake. Of the
fleet's {pods:,} documents as text, every {every}th is parsed, and the time taken as often. From raw rows, a side starts
with both tables in memory and ends with the names of the columns that drifted; of 16 columns of numbers and 4 of texts,
every side must find the one that moved. What counts there is the time on the clock: ours works in a thread for each
core, up to four, the others as they come; the ratio of CPU time stands beside it. Everything else is CPU time of one
thread. Each other tool runs in an environment of its own, from the versions and hashes in
[requirements](drift/requirements).
"""


def print_table(findings: list[Finding], console: Console) -> None:
    """What was measured, ours, theirs, ratio and bound."""
    table = Table("", "unit", "ours", "theirs", "ratio", "of CPU", "bound", "", box=box.MARKDOWN)
    for finding in findings:
        figures = (f"{finding.ours:.3f}", f"{finding.theirs:.3f}", f"{finding.ratio:.2f}")
        cpu = "" if finding.cpu is None else f"{finding.cpu:.1f}"
        kept = "kept" if finding.holds else "missed"
        judged = ("", "") if finding.bound is None else (str(finding.bound), kept)
        table.add_row(finding.title, finding.unit, *figures, cpu, *judged)
    console.print(table)


def section(findings: list[Finding], *, loads: tuple[float, float]) -> str:
    """The results as a section in Markdown.

    Args:
        findings: what was measured.
        loads: load average before and after the run.
    """
    return SECTION.format(
        date=dt.datetime.now(dt.UTC).date(),
        machine=f"{os.cpu_count()} cores ({platform.machine()})",
        python=platform.python_version(),
        libraries=", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        before=loads[0],
        after=loads[1],
        pods=PODS,
        every=PODS // READ,
        table=markdown_table(lambda console: print_table(findings, console)),
    )
