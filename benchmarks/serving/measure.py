"""One round: start the servers, send interleaved requests, stop them. CPU and memory are of the whole process tree."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import psutil  # type: ignore[import-untyped]

from benchmarks.serving.scores import read_scores
from benchmarks.serving.sides import Format, Request, Side

DEADLINE_SECONDS: Final = 120.0
POLL_SECONDS: Final = 0.02
SLICE: Final = 10
"""Requests of one format to one server before switching to the next."""
NANOSECONDS: Final = 1e9


@dataclass(frozen=True)
class Sample:
    """The measurements of one side in one round.

    Args:
        start: CPU seconds from spawn to the first answered prediction.
        memory: PSS in bytes after it.
        requests: CPU seconds per request, by format.
        scores: the probability of the second class for each of the many rows, by format.
    """

    start: float
    memory: float
    requests: Mapping[Format, float]
    scores: Mapping[Format, list[float]]


@dataclass(frozen=True)
class Server:
    """A running server that has answered a request.

    Args:
        side: the side.
        process: the root of its process tree.
        client: an open connection.
    """

    side: Side
    process: psutil.Popen
    client: http.client.HTTPConnection

    def slice(self, request: Request) -> float:
        """Send `SLICE` requests one after another. Return their CPU seconds."""
        before = _cpu_seconds(self.process)
        for _ in range(SLICE):
            _post(self.client, request)
        return _cpu_seconds(self.process) - before


def measure(sides: Sequence[Side], slices: int) -> dict[str, Sample]:
    """Start each side alone, then send requests to all in turns, so that all run under the same machine load.

    Args:
        sides: the sides, in starting order.
        slices: number of slices of one-row requests per format; a quarter as many with many rows.

    Returns:
        A sample for each name of a side.

    Raises:
        RuntimeError: a server exited, or did not answer in time.
    """
    alone = {side.name: _start_alone(side) for side in sides}
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(_running(side)) for side in sides]
        spent = _interleave(servers, slices)
        scores = {server.side.name: _scores(server) for server in servers}
    return {name: Sample(*alone[name], spent[name], scores[name]) for name in alone}


def _start_alone(side: Side) -> tuple[float, float]:
    """CPU seconds until the first answer, and memory after it, while no other side runs."""
    with _running(side) as server:
        return _cpu_seconds(server.process), _memory(server.process)


@contextlib.contextmanager
def _running(side: Side) -> Iterator[Server]:
    with side.log.open("ab") as log:
        process = psutil.Popen(side.command, env=side.environment, stdout=log, stderr=log)
    client = http.client.HTTPConnection("127.0.0.1", side.port, timeout=DEADLINE_SECONDS)
    try:
        _first_answer(side, process)
        yield Server(side, process, client)
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
            _post(client, side.first)
            return
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"{' '.join(side.command)}: no answer (exit code {process.poll()}):\n{side.log.read_text()}")


def _interleave(servers: Sequence[Server], slices: int) -> dict[str, dict[Format, float]]:
    """Return the CPU seconds per request by side and format. An additional first slice of each is a warm-up."""
    spent: dict[str, dict[Format, float]] = {server.side.name: {} for server in servers}
    for many, count in ((False, slices), (True, max(1, slices // 4))):
        turns = [
            (server, format_)
            for server in servers
            for format_ in server.side.requests
            if format_.startswith("rows") == many
        ]
        rounds = [[server.slice(server.side.requests[format_]) for server, format_ in turns] for _ in range(count + 1)]
        for (server, format_), seconds in zip(turns, zip(*rounds[1:], strict=True), strict=True):
            spent[server.side.name][format_] = sum(seconds) / (count * SLICE)
    return spent


def _scores(server: Server) -> dict[Format, list[float]]:
    many = {name: request for name, request in server.side.requests.items() if name.startswith("rows")}
    return {name: read_scores(*_exchange(server.client, request)) for name, request in many.items()}


def _post(client: http.client.HTTPConnection, request: Request) -> None:
    _exchange(client, request)


def _exchange(client: http.client.HTTPConnection, request: Request) -> tuple[bytes, Mapping[str, str]]:
    """Send a request. Return body and headers of the response."""
    client.request("POST", request.path, request.body, dict(request.headers))
    response = client.getresponse()
    answer = response.read()
    if response.status != HTTPStatus.OK:
        raise RuntimeError(f"POST {request.path}: expected status 200, got {response.status}: {answer[:200]!r}")
    return answer, {name.lower(): value for name, value in response.getheaders()}


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
