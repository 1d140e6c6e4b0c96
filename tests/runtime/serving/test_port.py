"""The traffic port of a serving pod as a process, with clients that are slow, hostile, or leave."""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import socket
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from perennate.api.documents.canonical import canonical_json
from perennate.api.documents.serving_config import HttpConfig
from perennate.serving.port.large_bodies import MAX_NAMES
from tests.support.pods.ready import fetched, ready
from tests.support.pods.serving import (
    DEADLINE_SECONDS,
    Published,
    ServingProcess,
    container_environment,
    run_fetch,
    serving,
)

pytestmark = pytest.mark.runtime

MIB = 1024 * 1024
SIZE = 16 * MIB
START = b"POST /predict HTTP/1.1\r\nHost: pod\r\nContent-Type: application/json\r\n"
OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"
DESCRIPTORS = 120


@pytest.fixture(scope="module")
def environment(rain: Published, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a pod, after its init container has run."""
    return fetched(rain, tmp_path_factory.mktemp("pod"))


@pytest.fixture(scope="module")
def pod(environment: dict[str, str]) -> Iterator[ServingProcess]:
    """A ready pod."""
    with ready(environment) as process:
        yield process


def connect(pod: ServingProcess) -> socket.socket:
    """A connection to the traffic port."""
    parts = urlsplit(pod.url)
    return socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=DEADLINE_SECONDS)


def answer_of(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of the response."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.read()


def metric(pod: ServingProcess, name: str) -> float:
    """The value of a metric, 0 if it is not there."""
    lines = httpx.get(f"{pod.operations}/metrics", timeout=60).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"perennate_serving_{name}"))


def test_a_client_that_offers_http2_is_answered(rain: Published, pod: ServingProcess) -> None:
    """The bytes that Java's HttpClient sends by default."""
    body = json.dumps({"records": rain.records(2)}).encode()
    with contextlib.closing(connect(pod)) as connection:
        for _ in range(2):
            connection.sendall(START + OFFER + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            status, answer = answer_of(connection)
            assert status == HTTPStatus.OK, answer
            assert len(json.loads(answer)["predictions"]) == 2


def test_slow_clients_do_not_keep_others_waiting(rain: Published, pod: ServingProcess) -> None:
    """100 of them have sent a part of their body."""
    slow = [connect(pod) for _ in range(100)]
    try:
        for connection in slow:
            connection.sendall(START + b"Content-Length: 600\r\n\r\n[1,2")
        assert (
            httpx.post(f"{pod.url}/predict", json={"records": rain.records(2)}, timeout=60).status_code == HTTPStatus.OK
        )
        assert pod.is_ready()
    finally:
        for connection in slow:
            connection.close()
    pod.wait_until(lambda: metric(pod, 'requests_total{code="499",endpoint="predict"}') >= 100)
    assert metric(pod, 'requests_total{code="500"') == 0
    pod.wait_until(lambda: metric(pod, "requests_in_flight") == 0)


@pytest.mark.parametrize("unit", [b'{"":[{}]},', b'{"":0},', b"[],", b'{"a":"b","c":[1]},'])
def test_hostile_bodies_take_little_memory(unit: bytes, pod: ServingProcess) -> None:
    """First one, then four at once. All probes are answered in the meantime."""
    body = b'{"records":[' + unit * ((SIZE - 20) // len(unit)) + b"{}]}"
    assert set(post_at_once(pod, body, 1)) == {HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
    assert set(post_at_once(pod, body, 4)) <= {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE}


@pytest.mark.parametrize(
    ("names", "status"),
    [(MAX_NAMES - 1, HTTPStatus.UNPROCESSABLE_ENTITY), (1_000_000, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)],
)
def test_many_different_names_take_little_memory(names: int, status: HTTPStatus, pod: ServingProcess) -> None:
    fields = b",".join(b'"%d":0' % index for index in range(names))
    assert set(post_at_once(pod, b'{"records":[{' + fields + b"}]}", 1)) == {status}


def post_at_once(pod: ServingProcess, body: bytes, count: int) -> list[int]:
    """The statuses of the same request from several clients. Checks memory and probes in the meantime."""
    before = reset_peak(pod.process.pid)
    answers: list[int] = []
    probes: list[int | None] = []
    clients = [threading.Thread(target=lambda: answers.append(post(pod, body))) for _ in range(count)]
    for client in clients:
        client.start()
    while any(client.is_alive() for client in clients):
        probes.append(pod.probe("/livez"))
    assert set(probes) == {HTTPStatus.OK}
    assert peak_bytes(pod.process.pid) - before <= 150 * MIB
    return answers


def test_clients_that_send_half_a_request_keep_nobody_out(rain: Published, tmp_path: Path) -> None:
    """Nothing, half of the headers, or half of a body: each time from more clients than the process may open files."""
    halves = b"", b"GET / HTTP/1.1\r\nx: ", START + b"Content-Length: 100\r\n\r\n{"
    environment = container_environment(rain, tmp_path)
    config = rain.config().model_copy(update={"http": HttpConfig(max_connections=1000)})
    environment["PERENNATE_SERVING"] = canonical_json(config.to_document()).decode()
    assert run_fetch(environment).returncode == 0

    def limit_files() -> None:
        """Limit the number of open files."""
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))

    with serving(environment, preexec=limit_files) as pod, contextlib.ExitStack() as stack:
        pod.wait_ready()
        body = json.dumps({"records": rain.records(1)}).encode()
        for half in halves * 4:
            for _ in range(DESCRIPTORS // 3):
                slow = stack.enter_context(contextlib.closing(connect(pod)))
                slow.sendall(half)
            assert pod.probe("/livez") == HTTPStatus.OK
            assert post(pod, body) == HTTPStatus.OK
        assert pod.probe("/readyz") == HTTPStatus.OK


def post(pod: ServingProcess, body: bytes) -> int:
    """The status of a prediction."""
    headers = {"content-type": "application/json"}
    return httpx.post(f"{pod.url}/predict", content=body, headers=headers, timeout=DEADLINE_SECONDS).status_code


def reset_peak(pid: int) -> int:
    """Start to measure the peak of the resident memory. Returns the resident memory in bytes."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return status_bytes(pid, "VmRSS")


def peak_bytes(pid: int) -> int:
    """The peak of the resident memory in bytes, since `reset_peak`."""
    return status_bytes(pid, "VmHWM")


def status_bytes(pid: int, field: str) -> int:
    """A field of a process's status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))
