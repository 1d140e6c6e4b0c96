"""The findings as a table on the terminal, and as a section of RESULTS.md."""

from __future__ import annotations

import datetime as dt
import os
import platform
from importlib.metadata import version
from statistics import mean, median
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.results import markdown_table
from benchmarks.serving.bounds import Finding
from benchmarks.serving.measure import SLICE
from benchmarks.serving.sides import MLSERVER_ENVIRONMENT

LIBRARIES: Final = ("bentoml", "scikit-learn", "numpy", "uvicorn", "orjson", "skops", "joblib")
SECTION: Final = """\
## Serving

Written by `make bench`; do not edit.

{date}, {machine}, Python {python},
{libraries}.
Load average {before:.1f} before the run and {after:.1f} after it, of which the run itself makes about 1.

{table}

Each cell is the median of {rounds} rounds, with minimum and maximum in parentheses. Ratios are ours / theirs, per
round; below 1, ours takes less. Absolute values depend on the machine; only the ratios are claims. A bound is a goal,
or 1.2 times the mean ratio of at least five rounds
({measured}).

- **Ours** is `python -m perennate.serving serve`. Requests have named records, or one tensor of the Open Inference
  Protocol, and every value is validated. Responses to records and to the binary tensor have predictions, probabilities
  and ids, those to JSON tensors probabilities. Rows and scores are counted for drift. Capture is off.
- **BentoML** is `bentoml serve` of a minimal typed service ([competitor.py](serving/competitor.py)) with defaults:
  an array in, the scores out, without drift counts and ids. Without names, its request of 1,000 rows is a quarter as
  long as ours with records.
- **MLServer** {mlserver} is its scikit-learn runtime in an environment of its own
  ([requirements](serving/requirements)), without worker processes. Its request has the same tensor and
  its response probabilities.
- All serve the same scaler and logistic regression with 30 features. The run fails if their scores differ.
- The starting order rotates between rounds. CPU is user and system time of the whole process tree. Memory is its PSS
  after the first answer, while no other side is running. Then all sides and formats take turns of ten requests, one
  after another over one connection on 127.0.0.1: {requests} of each with 1 row, and {batches} with 1,000 rows.
"""


def print_table(found: list[Finding], console: Console) -> None:
    """Print ours, theirs, ratio and bound of each metric."""
    table = Table("", "against", "unit", "ours", "theirs", "ratio", "mean x 1.2", "bound", "", box=box.MARKDOWN)
    for finding in found:
        metric, ratios = finding.metric, finding.ratios
        cells = [_spread(values) for values in (finding.ours, finding.theirs, ratios)]
        limits = (f"{mean(ratios) * 1.2:.2f}", f"{metric.bound:.2f}")
        table.add_row(metric.title, metric.other, metric.unit, *cells, *limits, "kept" if finding.holds else "missed")
    console.print(table)


def section(found: list[Finding], *, slices: int, measured: str, loads: tuple[float, float]) -> str:
    """Return the results as a Markdown section.

    Args:
        found: the findings.
        slices: slices of one-row requests per round.
        measured: the measurement behind the bounds.
        loads: load average before and after the run.
    """
    return SECTION.format(
        date=dt.datetime.now(dt.UTC).date(),
        machine=f"{os.cpu_count()} cores ({platform.machine()})",
        python=platform.python_version(),
        libraries=", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        before=loads[0],
        after=loads[1],
        table=markdown_table(lambda console: print_table(found, console)),
        rounds=len(found[0].ours),
        measured=measured,
        mlserver=MLSERVER_ENVIRONMENT.version(),
        requests=slices * SLICE,
        batches=max(1, slices // 4) * SLICE,
    )


def _spread(values: list[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"
