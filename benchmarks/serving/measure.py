"""One measurement of one side: start it, ask it, stop it. CPU time and memory are those of its whole process tree."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson
import psutil  # type: ignore[import-untyped]

from benchmarks.serving.sides import Request, Side

DEADLINE_SECONDS: Final = 120.0
POLL_SECONDS: Final = 0.02
WARM_UP: Final = 10
"""Requests of each size before any is counted."""
NANOSECONDS: Final = 1e9


@dataclass(frozen=True)
class Sample:
    """What one side took in one round.

    Args:
        start: CPU seconds from spawn to the first answered prediction.
        memory: bytes (PSS) after it.
        row: CPU seconds of a request with one row.
        batch: CPU seconds of a request with many rows.
        array: CPU seconds of a request with the same rows as one array.
        scores: the answer to the many rows: probability of the second class of each.
    """

    start: float
    memory: float
    row: float
    batch: float
    array: float
    scores: list[float]


def measure(side: Side, requests: int) -> Sample:
    """Start the side, ask it over one connection that is kept open, stop it.

    Args:
        side: what to start.
        requests: with one row; with many rows it is a quarter of them.

    Raises:
        RuntimeError: the side ended, or did not answer in time.
    """
    with _running(side) as process:
        _first_answer(side, process)
        start, memory = _cpu_seconds(process), _memory(process)
        client = http.client.HTTPConnection("127.0.0.1", side.port, timeout=DEADLINE_SECONDS)
        with contextlib.closing(client):
            many = max(1, requests // 4)
            return Sample(
                start=start,
                memory=memory,
                row=_cpu_per_request(process, client, side.row, requests),
                batch=_cpu_per_request(process, client, side.batch, many),
                array=_cpu_per_request(process, client, side.array, many),
                scores=_scores(_ask(client, side.batch)),
            )


@contextlib.contextmanager
def _running(side: Side) -> Iterator[psutil.Popen]:
    with side.log.open("ab") as log:
        process = psutil.Popen(side.command, env=side.environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        if process.poll() is None:
            _stop(process)


def _stop(process: psutil.Popen) -> None:
    tree = _tree(process)
    process.terminate()
    for left in psutil.wait_procs(tree, DEADLINE_SECONDS)[1]:
        left.kill()
    process.wait()


def _first_answer(side: Side, process: psutil.Popen) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        client = http.client.HTTPConnection("127.0.0.1", side.port, timeout=DEADLINE_SECONDS)
        with contextlib.closing(client), contextlib.suppress(OSError, RuntimeError):
            _ask(client, side.row)
            return
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"{' '.join(side.command)}: no answer (exit code {process.poll()}):\n{side.log.read_text()}")


def _cpu_per_request(process: psutil.Popen, client: http.client.HTTPConnection, request: Request, count: int) -> float:
    for _ in range(min(WARM_UP, count)):
        _ask(client, request)
    before = _cpu_seconds(process)
    for _ in range(count):
        _ask(client, request)
    return (_cpu_seconds(process) - before) / count


def _ask(client: http.client.HTTPConnection, request: Request) -> bytes:
    client.request("POST", request.path, request.body, {"content-type": "application/json"})
    response = client.getresponse()
    answer = response.read()
    if response.status != HTTPStatus.OK:
        raise RuntimeError(f"POST {request.path}: {response.status}, must be 200: {answer[:200]!r}")
    return answer


def _scores(answer: bytes) -> list[float]:
    document = orjson.loads(answer)
    return document if isinstance(document, list) else [row[1] for row in document["probabilities"]]


def _cpu_seconds(process: psutil.Popen) -> float:
    """User and system time of the living processes, to the nanosecond, and of children that they have waited for."""
    return sum(_own_cpu_seconds(member.pid) + _waited_cpu_seconds(member) for member in _tree(process))


def _own_cpu_seconds(pid: int) -> float:
    # The clock that clock_getcpuclockid(3) names: /proc counts in hundredths of a second, too coarse for one request.
    return time.clock_gettime_ns((~pid << 3) | 2) / NANOSECONDS


def _waited_cpu_seconds(process: Any) -> float:
    times = process.cpu_times()
    return float(times.children_user + times.children_system)


def _memory(process: psutil.Popen) -> float:
    return float(sum(member.memory_full_info().pss for member in _tree(process)))


def _tree(process: psutil.Popen) -> list[Any]:
    return [psutil.Process(process.pid), *process.children(recursive=True)]
