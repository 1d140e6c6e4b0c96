"""`python -m benchmarks.serving`: measure both servers, print a table, and fail if a bound is missed."""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.results import write_section
from benchmarks.serving.bounds import MEASURED, findings
from benchmarks.serving.isolation import prepare
from benchmarks.serving.measure import Sample, measure
from benchmarks.serving.report import print_table, section
from benchmarks.serving.sides import Side


def main(arguments: list[str]) -> int:
    """Run the benchmark.

    Returns:
        The exit code: 0 on success, 1 if a bound is missed.
    """
    options = _parser().parse_args(arguments)
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        sides = prepare(Path(folder))
        rounds = [_round(number, sides, options.slices) for number in range(options.rounds)]
    found = findings(rounds)
    print_table(found, Console(width=None if sys.stdout.isatty() else 200))
    if options.results:
        loads = (before, os.getloadavg()[0])
        write_section(options.results, section(found, slices=options.slices, measured=MEASURED, loads=loads))
    return int(options.bounds and not all(finding.holds for finding in found))


def _round(number: int, sides: tuple[Side, Side], slices: int) -> tuple[Sample, Sample]:
    """Measure both sides once. The order alternates between rounds.

    Raises:
        RuntimeError: a side did not answer, or the scores differ.
    """
    if number % 2:
        theirs, ours = measure(sides[::-1], slices)
    else:
        ours, theirs = measure(sides, slices)
    if not all(map(math.isclose, ours.scores, theirs.scores)) or len(ours.scores) != len(theirs.scores):
        raise RuntimeError("the scores of the two sides differ for the same rows, so their times are not comparable")
    print(f"round {number + 1} done", file=sys.stderr)
    return ours, theirs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds; each starts both servers")
    parser.add_argument(
        "--slices",
        type=int,
        default=40,
        help="slices of ten one-row requests per round; a quarter as many with 1,000 rows",
    )
    parser.add_argument("--no-bounds", dest="bounds", action="store_false", help="do not fail if a bound is missed")
    parser.add_argument("--results", type=Path, help="Markdown file in which to replace the section Serving")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
