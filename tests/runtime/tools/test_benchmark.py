"""The benchmarks run. Only `make bench`, `make bench-drift` and `make bench-scraping` check their figures."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.drift.__main__ import exit_code
from benchmarks.drift.bounds import Bound, Finding
from tests.support.tree import ROOT

pytestmark = pytest.mark.runtime

COMMAND = (
    sys.executable,
    "-m",
    "benchmarks.serving",
    "--rounds",
    "1",
    "--slices",
    "1",
    "--peers",
    "BentoML",
    "--no-bounds",
)
DRIFT = (
    sys.executable,
    "-m",
    "benchmarks.drift",
    "--rounds",
    "1",
    "--rows",
    "2000",
    "--peers",
    "frouros",
    "--no-bounds",
)


def test_the_serving_benchmark_measures_both_servers(tmp_path: Path) -> None:
    """Both start and return the same scores, and every figure in the results is positive."""
    results = tmp_path / "RESULTS.md"
    run = subprocess.run(
        [*COMMAND, "--results", str(results)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in results.read_text().splitlines()
        if line.startswith("| ") and " (" in line and "| BentoML " in line
    ]
    medians = {title: [float(cell.split()[0]) for cell in cells[2:5]] for title, *cells in rows}
    assert set(medians) == {
        "CPU from spawn to the first answer",
        "memory when ready (PSS)",
        "CPU of a request with 1 row",
        "1,000 rows",
        "1,000 rows as a tensor",
        "1,000 rows as a binary tensor",
    }
    assert min(min(values) for values in medians.values()) > 0


def test_the_drift_benchmark_measures_every_bound(tmp_path: Path) -> None:
    """Recording, verdicts, a sweep, and one peer on raw rows, with the same result as ours."""
    results = tmp_path / "RESULTS.md"
    run = subprocess.run(
        [*DRIFT, "--results", str(results)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    rows = [line.strip("|").split("|") for line in results.read_text().splitlines() if re.search("[<>]= ", line)]
    titles = " ".join(cells[0] for cells in rows)
    for part in (
        "1 row x",
        "1,000 rows x",
        "verdict from counts",
        "sweep of",
        "frouros",
        "most memory",
    ):
        assert part in titles
    assert all(float(cell) > 0 for cells in rows for cell in cells[2:4])


def test_the_benchmark_exits_with_1_if_a_bound_is_missed() -> None:
    kept = [
        Finding("faster", "s", 1.0, 2.0, 2.0, Bound(2, at_least=True)),
        Finding("smaller", "MiB", 1.2, 1.0, 1.2, Bound(1.2, at_least=False)),
        Finding("told", "s", 9.0, 1.0, 9.0, None),
    ]
    assert exit_code(kept) == 0
    for missed in (
        Finding("slower", "s", 1.0, 1.9, 1.9, Bound(2, at_least=True)),
        Finding("larger", "MiB", 1.3, 1.0, 1.3, Bound(1.2, at_least=False)),
    ):
        assert exit_code([*kept, missed]) == 1


def test_the_scraping_benchmark_runs(tmp_path: Path) -> None:
    """An honest target beside two hostile ones: its pods are asked, and every figure is positive."""
    results = tmp_path / "RESULTS.md"
    command = (sys.executable, "-m", "benchmarks.scraping", "--rounds=1", "--seconds=3", "--hostile=2", "--no-bounds")
    run = subprocess.run(
        [*command, "--results", str(results)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    lines = [line for line in results.read_text().splitlines() if line.startswith("| ") and " to " in line]
    medians = [float(line.split("|")[3].split()[0]) for line in lines]
    assert len(medians) == 6
    assert min(medians) > 0
    assert medians[0] < 3, "the honest pod was asked"
