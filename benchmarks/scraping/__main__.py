"""`python -m benchmarks.scraping`: measure, print a table, and fail if a bound is missed."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.results import markdown_table, write_section
from benchmarks.scraping.layout import HOSTILE, KINDS
from benchmarks.scraping.measure import Round, measure

SECTION: Final = """\
## Scraping

Written by `make bench-scraping`; do not edit.

{date}, {cores} cores ({machine}), Python {python}. Load average {load:.1f} before the run.

{table}

Each cell is the median of {rounds} rounds of {seconds:g} seconds, with minimum and maximum in parentheses. In a process
of its own, the operator's monitor scrapes one honest target with three pods, and {hostile} hostile ones in namespaces
of their own with 40 to 120 pods each, all every second. Two more processes serve the honest and the hostile pods on
loopback addresses. Two hostile targets each are {kinds}.

- **Longest gap** is the longest time between two requests to an honest pod. With an interval of one second, two seconds
  are two intervals.
- **CPU between wake-ups** is the CPU time that the event loop takes, at most, while a task waits that wakes up a
  hundred times a second. Delays are in wall-clock time, so other processes of the machine add to them.
"""


@dataclass(frozen=True)
class Line:
    """One line of the results: a figure with an upper bound of its median, if it has one."""

    title: str
    unit: str
    read: Callable[[Round], float]
    bound: float | None = None

    def holds(self, rounds: Sequence[Round]) -> bool:
        """Whether the bound is kept."""
        return self.bound is None or median(map(self.read, rounds)) <= self.bound

    def cells(self, rounds: Sequence[Round]) -> tuple[str, ...]:
        """The cells of the table."""
        values = [self.read(one) for one in rounds]
        spread = f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"
        bound = "" if self.bound is None else f"{self.bound:g}"
        return self.title, self.unit, spread, bound, "" if not bound else "kept" if self.holds(rounds) else "MISSED"


LINES: Final = (
    Line("longest gap between requests to an honest pod", "s", lambda one: one.gap, 2.0),
    Line("peak of the resident memory", "MiB", lambda one: one.memory, 256.0),
    Line("CPU between wake-ups of the event loop, at most", "ms", lambda one: 1e3 * one.busy, 100.0),
    Line("delay of a wake-up, 99th percentile", "ms", lambda one: 1e3 * one.delay99),
    Line("delay of a wake-up, at most", "ms", lambda one: 1e3 * one.delay),
    Line("CPU", "cores", lambda one: one.cpu),
)


def main(arguments: list[str]) -> int:
    """Run the benchmark.

    Returns:
        The exit code: 0 on success, 1 if a bound is missed.
    """
    options = _parser().parse_args(arguments)
    load = os.getloadavg()[0]
    rounds = [measure(options.hostile, options.seconds) for _ in range(options.rounds)]
    print_table(rounds, Console(width=None if sys.stdout.isatty() else 200))
    if options.results:
        write_section(options.results, section(rounds, options.hostile, options.seconds, load))
    return int(options.bounds and not all(line.holds(rounds) for line in LINES))


def print_table(rounds: Sequence[Round], console: Console) -> None:
    """Print all lines."""
    table = Table("", "unit", "measured", "bound", "", box=box.MARKDOWN)
    for line in LINES:
        table.add_row(*line.cells(rounds))
    console.print(table)


def section(rounds: Sequence[Round], hostile: int, seconds: float, load: float) -> str:
    """The section of RESULTS.md."""
    return SECTION.format(
        date=dt.datetime.now(tz=dt.UTC).date(),
        cores=os.cpu_count(),
        machine=platform.machine(),
        python=platform.python_version(),
        load=load,
        table=markdown_table(lambda console: print_table(rounds, console)),
        rounds=len(rounds),
        seconds=seconds,
        hostile=hostile,
        kinds=", ".join(KINDS),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scraping", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds")
    parser.add_argument("--seconds", type=float, default=30.0, help="seconds of a round")
    parser.add_argument("--hostile", type=int, default=HOSTILE, help="number of hostile targets")
    parser.add_argument("--no-bounds", dest="bounds", action="store_false", help="do not fail if a bound is missed")
    parser.add_argument("--results", type=Path, help="Markdown file in which to replace the section Scraping")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
