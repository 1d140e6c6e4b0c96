"""One round: start the sides, ask them in turns, stop them. CPU time and memory are those of its whole process tree."""

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
"""Requests that one side is sent before it is the other's turn."""
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


@dataclass(frozen=True)
class Server:
    """A side that runs and has answered.

    Args:
        side: which.
        process: the root of its process tree.
        client: an open connection to it.
        start: CPU seconds until it had answered.
        memory: bytes (PSS) right then.
    """

    side: Side
    process: psutil.Popen
    client: http.client.HTTPConnection
    start: float
    memory: float

    def slice(self, request: Request) -> float:
        """CPU seconds of `SLICE` such requests, one after another."""
        before = _cpu_seconds(self.process)
        for _ in range(SLICE):
            _ask(self.client, request)
        return _cpu_seconds(self.process) - before


def measure(sides: Sequence[Side], slices: int) -> list[Sample]:
    """Start each of two sides alone, and then ask both in turns, so that both meet the same load of the machine.

    Args:
        sides: in the order in which they start.
        slices: of requests with one row; with many rows it is a quarter of them.

    Raises:
        RuntimeError: a side ended, or did not answer in time.
    """
    with _running(sides[0]) as first:
        pass
    with _running(sides[1]) as second, _running(sides[0]) as again:
        both, many = (again, second), max(1, slices // 4)
        rows = _in_turns(both, lambda side: side.row, slices)
        batches = _in_turns(both, lambda side: side.batch, many)
        arrays = _in_turns(both, lambda side: side.array, many)
        scores = [_scores(_ask(server.client, server.side.batch)) for server in both]
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
            _ask(client, side.row)
            return
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"{' '.join(side.command)}: no answer (exit code {process.poll()}):\n{side.log.read_text()}")


def _in_turns(servers: Sequence[Server], pick: Callable[[Side], Request], slices: int) -> list[float]:
    """CPU seconds that a request takes of each server; one slice more, the first, is not counted."""
    rounds = [[server.slice(pick(server.side)) for server in servers] for _ in range(slices + 1)]
    return [sum(spent) / (slices * SLICE) for spent in zip(*rounds[1:], strict=True)]


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
