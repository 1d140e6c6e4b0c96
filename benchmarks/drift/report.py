"""Print the findings as a table, and write them as a section of RESULTS.md."""

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

All sides run in turns; a ratio is the median over the rounds. Times depend on the machine, so the bounds are ratios.
The exception is a verdict: its bound is 1 ms, and its time is that of the fastest round. A verdict evaluates 20
features and the score, from new counts each time. Lines without a bound are for information. Of the {pods:,}
documents as text, every {every}th is parsed, and the time is multiplied by {every}. For raw rows, a tool starts with
both tables in memory and ends with the names of the drifted columns; it must detect the one of 16 numeric and 4
string columns that moved. These times are wall-clock times: perennate uses a thread per core, up to four, the other
tools use their defaults; the ratio of CPU time is in the column beside it. All other times are CPU time of one
thread. Each other tool runs in its own environment, with the versions and hashes in
[requirements](drift/requirements).
"""


def print_table(findings: list[Finding], console: Console) -> None:
    """Print the findings."""
    table = Table("", "unit", "ours", "theirs", "ratio", "of CPU", "bound", "", box=box.MARKDOWN)
    for finding in findings:
        figures = (f"{finding.ours:.3f}", f"{finding.theirs:.3f}", f"{finding.ratio:.2f}")
        cpu = "" if finding.cpu is None else f"{finding.cpu:.1f}"
        kept = "kept" if finding.holds else "missed"
        judged = ("", "") if finding.bound is None else (str(finding.bound), kept)
        table.add_row(finding.title, finding.unit, *figures, cpu, *judged)
    console.print(table)


def section(findings: list[Finding], *, loads: tuple[float, float]) -> str:
    """Return the section in Markdown.

    Args:
        findings: the findings.
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
