"""`python -m benchmarks.drift`: measure, print the table, fail if a bound is missed."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from perennate.processor import settle_numpy

# As in a serving pod and in the command, before numpy is imported; and for the other tools, which inherit it.
settle_numpy(os.environ)
from benchmarks.drift import kernels, raw, recording, sweep  # noqa: E402
from benchmarks.drift.bounds import Finding  # noqa: E402
from benchmarks.drift.peers import PEERS  # noqa: E402
from benchmarks.drift.report import print_table, section  # noqa: E402
from benchmarks.results import write_section  # noqa: E402


def main(arguments: list[str]) -> int:
    """Run the benchmark.

    Returns:
        The exit code: 0 done, 1 a bound is missed.
    """
    options = _parser().parse_args(arguments)
    before = os.getloadavg()[0]
    findings = [*recording.compare(options.rounds), *sweep.compare(options.rounds), *kernels.compare(options.rounds)]
    peers = [peer for peer in PEERS if peer.name in options.peers]
    if peers:
        with tempfile.TemporaryDirectory() as folder:
            findings += raw.compare(peers, options.rows, Path(folder))
    print_table(findings, Console(width=None if sys.stdout.isatty() else 200))
    if options.results:
        write_section(options.results, section(findings, loads=(before, os.getloadavg()[0])))
    return exit_code(findings) if options.bounds else 0


def exit_code(findings: list[Finding]) -> int:
    """0 if every bound is kept, else 1."""
    return int(not all(finding.holds for finding in findings))


def _parser() -> argparse.ArgumentParser:
    names = [peer.name for peer in PEERS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of each table of raw rows")
    parser.add_argument("--rounds", type=int, default=9, help="of what is compared inside one process")
    parser.add_argument("--peers", nargs="*", choices=names, default=names, help="which tools to compare with")
    parser.add_argument("--no-bounds", dest="bounds", action="store_false", help="do not fail if a bound is missed")
    parser.add_argument("--results", type=Path, help="write the section Drift of this file, in Markdown")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
