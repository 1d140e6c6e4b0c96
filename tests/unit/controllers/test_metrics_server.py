"""The server of the metrics: who may read them, and how few connections it serves."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Gauge

from perennate.controllers.metrics_server import (
    CONNECTIONS,
    Access,
    RememberedReview,
    Review,
    serve_metrics,
)


@contextlib.contextmanager
def served(review: Review | None = None) -> Iterator[int]:
    """Serve a metric, and yield the port."""
    registry = CollectorRegistry()
    Gauge("perennate_leader", "Help.", registry=registry).set(1)
    server = serve_metrics(registry, 0, review)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def get(port: int, **headers: str) -> tuple[int, str]:
    """Status and body of a request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/metrics", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_everybody_reads_the_metrics_by_default() -> None:
    with served() as port:
        status, text = get(port)
    assert (status, "perennate_leader 1.0" in text) == (200, True)


VERDICTS = {"good": Access.ALLOWED, "other": Access.FORBIDDEN, "down": Access.UNKNOWN}


@pytest.mark.parametrize(
    ("header", "status"),
    [
        *(("", 401), ("Basic Z29vZA==", 401), ("Bearer", 401), ("Bearer   ", 401), ("Bearer forged", 401)),
        *(("Bearer other", 403), ("Bearer down", 503), ("Bearer good", 200), ("bearer good", 200)),
    ],
)
def test_a_review_decides_about_the_token(header: str, status: int) -> None:
    with served(lambda token: VERDICTS.get(token, Access.NO_TOKEN)) as port:
        found = get(port, **({"Authorization": header} if header else {}))
    assert found[0] == status
    assert ("perennate_leader" in found[1]) == (status == 200)


def test_a_verdict_is_remembered_for_a_minute() -> None:
    """An unknown one is not. Many different tokens do not fill the memory."""
    asked: list[str] = []
    now = [0.0]

    def review(token: str) -> Access:
        """Note the token."""
        asked.append(token)
        return VERDICTS.get(token, Access.NO_TOKEN)

    remembered = RememberedReview(review, clock=lambda: now[0])
    for token in ("good", "good", "forged", "forged", "down", "down"):
        remembered(token)
    assert asked == ["good", "forged", "down", "down"]
    now[0] = 61.0
    assert remembered("good") is Access.ALLOWED
    assert asked[-1] == "good"
    for number in range(1000):
        remembered(str(number))
    assert len(remembered._verdicts) <= 256


def test_silent_connections_do_not_keep_scrapes_out_for_long() -> None:
    """Each has a deadline, and more than a few are closed at once."""
    with served() as port, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(3 * CONNECTIONS)]
        for one in silent:
            one.settimeout(30)
        # Every connection is closed by the server: the surplus at once, the others at their deadline.
        assert [one.recv(1) for one in silent] == [b""] * len(silent)
        assert get(port)[0] == 200
