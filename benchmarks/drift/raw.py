"""Compare the time from two tables of raw rows to a verdict; each tool runs in its own process, in turns."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from benchmarks.drift.bounds import Bound, Finding
from benchmarks.drift.peers import ROOT, Peer
from benchmarks.drift.rows import CATEGORIES, NUMBERS, write_tables

OURS = "benchmarks.drift.sides.with_perennate"
MOVED = "n0"
"""The column that differs between the tables. Every tool must detect it."""


@dataclass(frozen=True)
class Run:
    """Time and memory of one run.

    Args:
        seconds: wall-clock seconds from tables in memory to a verdict.
        cpu: seconds of CPU time of all threads.
        memory: peak memory in bytes, less the memory before the tables were loaded.
    """

    seconds: float
    cpu: float
    memory: float


def compare(peers: Sequence[Peer], rows: int, folder: Path) -> list[Finding]:
    """Run perennate before and after each run of another tool.

    Args:
        peers: the other tools; their environments are installed first.
        rows: rows of each table.
        folder: an empty folder for the tables.

    Raises:
        RuntimeError: a tool failed, or did not detect the difference.
    """
    pythons = {peer.name: str(peer.python()) for peer in peers}
    write_tables(folder, rows)
    ours, theirs = [_run(sys.executable, OURS, folder)], {peer.name: list[tuple[Run, Run]]() for peer in peers}
    for turn in range(max(peer.rounds for peer in peers)):
        for peer in (peer for peer in peers if turn < peer.rounds):
            other = _run(pythons[peer.name], peer.module, folder)
            ours.append(_run(sys.executable, OURS, folder))
            both = Run(fmean(run.seconds for run in ours[-2:]), fmean(run.cpu for run in ours[-2:]), 0)
            theirs[peer.name].append((both, other))
            print(f"{peer.name}: {other.seconds:.1f} s, ours {both.seconds:.2f} s", file=sys.stderr, flush=True)
    return [*(_finding(peer, theirs[peer.name], rows) for peer in peers), _memory(ours, rows)]


def _finding(peer: Peer, runs: list[tuple[Run, Run]], rows: int) -> Finding:
    ratios = [theirs.seconds / ours.seconds for ours, theirs in runs]
    cpu = median(theirs.cpu / ours.cpu for ours, theirs in runs)
    what = f"{peer.name} {peer.version()}: {peer.title}, {rows:,} rows x {NUMBERS + CATEGORIES}"
    return Finding(
        title=what,
        unit="s",
        ours=median(ours.seconds for ours, _ in runs),
        theirs=median(theirs.seconds for _, theirs in runs),
        ratio=median(ratios),
        bound=Bound(peer.bound, at_least=True),
        cpu=cpu,
    )


def _memory(runs: list[Run], rows: int) -> Finding:
    """Compare the peak memory with that of both tables, 8 bytes per value (for strings a pointer)."""
    data = 2 * rows * (NUMBERS + CATEGORIES) * 8
    peak = max(run.memory for run in runs)
    title = "most memory of ours, against both tables"
    return Finding(title, "MiB", peak / 2**20, data / 2**20, peak / data, Bound(1.2, at_least=False))


def _run(python: str, module: str, folder: Path) -> Run:
    result = folder / "result.json"
    result.unlink(missing_ok=True)
    process = subprocess.run([python, "-m", module, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False)
    if process.returncode or not result.exists():
        raise RuntimeError(f"{module}: exit code {process.returncode}:\n{process.stderr[-2000:]}")
    found = json.loads(result.read_text())
    if MOVED not in found["drifted"]:
        raise RuntimeError(f"{module}: did not detect the drift of {MOVED}, so its time cannot be compared: {found}")
    return Run(found["seconds"], found["cpu"], found["memory"])
