"""`python -m benchmarks.serving`: measure all servers, print a table, and fail if a bound is missed."""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.results import write_section
from benchmarks.serving.bounds import MEASURED, PEERS, findings
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
        sides = prepare(Path(folder), options.peers)
        rounds = [_round(number, sides, options.slices) for number in range(options.rounds)]
    found = findings(rounds)
    print_table(found, Console(width=None if sys.stdout.isatty() else 200))
    if options.results:
        loads = (before, os.getloadavg()[0])
        write_section(options.results, section(found, slices=options.slices, measured=MEASURED, loads=loads))
    return int(options.bounds and not all(finding.holds for finding in found))


def _round(number: int, sides: Sequence[Side], slices: int) -> dict[str, Sample]:
    """Measure all sides once. The order rotates between rounds.

    Raises:
        RuntimeError: a side did not answer, or the scores differ.
    """
    first = number % len(sides)
    samples = measure([*sides[first:], *sides[:first]], slices)
    expected, *others = (scores for sample in samples.values() for scores in sample.scores.values())
    for scores in others:
        if len(scores) != len(expected) or not all(map(math.isclose, scores, expected)):
            raise RuntimeError("the scores for the same rows differ, so the times are not comparable")
    print(f"round {number + 1} done", file=sys.stderr)
    return samples


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds; each starts all servers")
    parser.add_argument(
        "--slices",
        type=int,
        default=40,
        help="slices of ten one-row requests per format and round; a quarter as many with 1,000 rows",
    )
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS, help="which servers to compare with")
    parser.add_argument("--no-bounds", dest="bounds", action="store_false", help="do not fail if a bound is missed")
    parser.add_argument("--results", type=Path, help="Markdown file in which to replace the section Serving")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
