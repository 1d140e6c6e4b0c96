"""The benchmark of the serving process still runs; what it measures is judged by `make bench` alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.repo.tree import ROOT

pytestmark = pytest.mark.runtime

COMMAND = (sys.executable, "-m", "benchmarks.serving", "--rounds", "1", "--slices", "1", "--no-bounds")


def test_the_benchmark_compares_both_sides(tmp_path: Path) -> None:
    """Both sides start, give the same scores, and every figure of the document is a positive number."""
    results = tmp_path / "RESULTS.md"
    run = subprocess.run(
        [*COMMAND, "--results", str(results)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in results.read_text().splitlines()
        if line.startswith("| ") and " (" in line
    ]
    medians = {title: [float(cell.split()[0]) for cell in cells[1:4]] for title, *cells in rows}
    assert set(medians) == {
        "CPU from spawn to the first answer",
        "memory when ready (PSS)",
        "CPU of a request with 1 row",
        "CPU of a request with 1,000 rows",
        "the same rows as one array",
    }
    assert min(min(values) for values in medians.values()) > 0
