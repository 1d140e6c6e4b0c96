"""One round: start both servers, send interleaved requests, stop them. CPU and memory are of the whole process tree."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson
import psutil  # type: ignore[import-untyped]

from benchmarks.serving.sides import Request, Side

DEADLINE_SECONDS: Final = 120.0
POLL_SECONDS: Final = 0.02
SLICE: Final = 10
"""Requests to one server before switching to the other."""
NANOSECONDS: Final = 1e9


@dataclass(frozen=True)
class Sample:
    """The measurements of one side in one round.

    Args:
        start: CPU seconds from spawn to the first answered prediction.
        memory: PSS in bytes after it.
        row: CPU seconds per request with one row.
        batch: CPU seconds per request with many rows.
        array: CPU seconds per request with the same rows as one array.
        scores: the probability of the second class for each of the many rows.
    """

    start: float
    memory: float
    row: float
    batch: float
    array: float
    scores: list[float]


@dataclass(frozen=True)
class Server:
    """A running server that has answered a request.

    Args:
        side: the side.
        process: the root of its process tree.
        client: an open connection.
        start: CPU seconds until the first answer.
        memory: PSS in bytes at that time.
    """

    side: Side
    process: psutil.Popen
    client: http.client.HTTPConnection
    start: float
    memory: float

    def slice(self, request: Request) -> float:
        """Send `SLICE` requests one after another. Return their CPU seconds."""
        before = _cpu_seconds(self.process)
        for _ in range(SLICE):
            _post(self.client, request)
        return _cpu_seconds(self.process) - before


def measure(sides: Sequence[Side], slices: int) -> list[Sample]:
    """Start each side alone, then send requests to both in turns, so that both run under the same machine load.

    Args:
        sides: the two sides, in starting order.
        slices: number of slices of one-row requests; a quarter as many with many rows.

    Raises:
        RuntimeError: a server exited, or did not answer in time.
    """
    with _running(sides[0]) as first:
        pass
    with _running(sides[1]) as second, _running(sides[0]) as again:
        both, many = (again, second), max(1, slices // 4)
        rows = _interleave(both, lambda side: side.row, slices)
        batches = _interleave(both, lambda side: side.batch, many)
        arrays = _interleave(both, lambda side: side.array, many)
        scores = [_scores(_post(server.client, server.side.batch)) for server in both]
    return [
        Sample(server.start, server.memory, row, batch, array, answer)
        for server, row, batch, array, answer in zip((first, second), rows, batches, arrays, scores, strict=True)
    ]


@contextlib.contextmanager
def _running(side: Side) -> Iterator[Server]:
    with side.log.open("ab") as log:
        process = psutil.Popen(side.command, env=side.environment, stdout=log, stderr=log)
    client = http.client.HTTPConnection("127.0.0.1", side.port, timeout=DEADLINE_SECONDS)
    try:
        _first_answer(side, process)
        yield Server(side, process, client, _cpu_seconds(process), _memory(process))
    finally:
        client.close()
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
            _post(client, side.row)
            return
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"{' '.join(side.command)}: no answer (exit code {process.poll()}):\n{side.log.read_text()}")


def _interleave(servers: Sequence[Server], pick: Callable[[Side], Request], slices: int) -> list[float]:
    """Return the CPU seconds per request of each server. An additional first slice is a warm-up."""
    rounds = [[server.slice(pick(server.side)) for server in servers] for _ in range(slices + 1)]
    return [sum(spent) / (slices * SLICE) for spent in zip(*rounds[1:], strict=True)]


def _post(client: http.client.HTTPConnection, request: Request) -> bytes:
    client.request("POST", request.path, request.body, {"content-type": "application/json"})
    response = client.getresponse()
    answer = response.read()
    if response.status != HTTPStatus.OK:
        raise RuntimeError(f"POST {request.path}: expected status 200, got {response.status}: {answer[:200]!r}")
    return answer


def _scores(answer: bytes) -> list[float]:
    document = orjson.loads(answer)
    return document if isinstance(document, list) else [row[1] for row in document["probabilities"]]


def _cpu_seconds(process: psutil.Popen) -> float:
    """Return user and system time of the running processes (in ns resolution) and of their reaped children."""
    return sum(_own_cpu_seconds(member.pid) + _reaped_cpu_seconds(member) for member in _tree(process))


def _own_cpu_seconds(pid: int) -> float:
    # The clock of clock_getcpuclockid(3). The resolution of /proc, 10 ms, is too coarse for one request.
    return time.clock_gettime_ns((~pid << 3) | 2) / NANOSECONDS


def _reaped_cpu_seconds(process: Any) -> float:
    times = process.cpu_times()
    return float(times.children_user + times.children_system)


def _memory(process: psutil.Popen) -> float:
    return float(sum(member.memory_full_info().pss for member in _tree(process)))


def _tree(process: psutil.Popen) -> list[Any]:
    return [psutil.Process(process.pid), *process.children(recursive=True)]
