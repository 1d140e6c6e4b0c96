"""Liveness and readiness endpoints of the operator, tested over real HTTP on loopback."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest

from perennate.controllers.health import Vitals, serve_health


class Probe:
    """The vitals of an operator, and a client that requests the endpoints as the kubelet does."""

    def __init__(self, vitals: Vitals, port: int) -> None:
        self.vitals = vitals
        self._port = port

    def ask(self, path: str) -> tuple[int, list[str]]:
        """Return the status code and the reasons."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=5) as answer:
                return answer.status, json.load(answer)["reasons"]
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)["reasons"]


@pytest.fixture
def probe() -> Iterator[Probe]:
    """A healthy operator whose clock shows 1,000 s."""
    vitals = Vitals(clock=lambda: 1000.0, ticked=999.5, primed=True)
    server = serve_health(vitals, 0)
    yield Probe(vitals, server.server_port)
    server.shutdown()
    server.server_close()


def test_a_healthy_operator_is_live_and_ready(probe: Probe) -> None:
    assert probe.ask("/healthz") == (HTTPStatus.OK, [])
    assert probe.ask("/readyz") == (HTTPStatus.OK, [])


SICK: dict[str, tuple[dict[str, Any], str]] = {
    "a stale watch": ({"stale_watches": ("Job",)}, "the watch of Job is stale"),
    "a dead worker": ({"dead_tasks": ("worker 3",)}, "the task worker 3 ended"),
    "an object that waits too long": ({"oldest": 601.0}, "an object has waited for 601 s"),
    "a slow event loop": ({"lag": 12.0}, "the event loop lags by 12.0 s"),
    "a blocked event loop": ({"ticked": 900.0}, "the event loop is blocked"),
}


@pytest.mark.parametrize("case", SICK)
def test_a_problem_that_needs_a_restart_fails_liveness(case: str, probe: Probe) -> None:
    """Each problem alone fails liveness, and the reason names it."""
    changes, sentence = SICK[case]
    for name, value in changes.items():
        setattr(probe.vitals, name, value)
    assert probe.ask("/healthz") == (HTTPStatus.INTERNAL_SERVER_ERROR, [sentence])


def test_a_standby_is_ready_and_an_operator_with_unfilled_caches_is_not(probe: Probe) -> None:
    """An operator is ready if it reconciles or is on standby."""
    probe.vitals.primed = False
    assert probe.ask("/readyz") == (HTTPStatus.INTERNAL_SERVER_ERROR, ["the cache is not filled yet"])
    probe.vitals.standby = True
    assert probe.ask("/readyz") == (HTTPStatus.OK, [])


def test_other_paths_are_not_found(probe: Probe) -> None:
    assert probe.ask("/secrets")[0] == HTTPStatus.NOT_FOUND
