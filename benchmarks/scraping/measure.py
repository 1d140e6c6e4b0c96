"""One round: the hostile pods and the operator's side as processes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from benchmarks.scraping.layout import HONEST

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Round:
    """What one round measured. Durations in seconds.

    Args:
        requests: requests to one honest pod.
        gap: longest time between two of them, or before the first or after the last.
        memory: peak of the resident memory of the operator's side, in MiB.
        busy: most CPU time of the event loop between two wake-ups of a task.
        delay: longest delay of a wake-up; other processes of the machine add to it.
        delay99: 99th percentile of the delays.
        cpu: CPU time of the operator's side by time.
    """

    requests: int
    gap: float
    memory: float
    busy: float
    delay: float
    delay99: float
    cpu: float


def measure(hostile: int, seconds: float) -> Round:
    """Scrape an honest and some hostile targets for some seconds."""
    hostile_pods = _start("pods", "hostile", str(hostile), "0")
    port = json.loads(_line(hostile_pods))["port"]
    honest_pods = _start("pods", HONEST, str(hostile), str(port))
    side = _start("operator_side", _line(honest_pods), str(hostile), str(seconds))
    output, _ = side.communicate()
    times_line, _ = honest_pods.communicate()
    hostile_pods.communicate()
    found = json.loads(output)
    times = [found["began"], *json.loads(times_line), found["ended"]]
    return Round(
        requests=len(times) - 2,
        gap=max(later - earlier for earlier, later in pairwise(times)),
        **{name: found[name] for name in ("memory", "busy", "delay", "delay99", "cpu")},
    )


def _line(process: subprocess.Popen[str]) -> str:
    """The first line that a process prints."""
    if process.stdout is None:
        raise RuntimeError("the process has no pipe")
    return process.stdout.readline().strip()


def _start(module: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"benchmarks.scraping.{module}", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
