"""A request that takes too long."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import pytest

from perennate.serving import service
from perennate.serving.model import ServedModel
from perennate.serving.schema import MAX_ROWS
from tests.support.serving import Published
from tests.unit.serving.pod import running_pod


async def test_a_request_that_takes_too_long_gets_504_and_the_next_is_answered(
    models: Mapping[str, ServedModel], published: Mapping[str, Published], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is not kept waiting, and the pod goes on: the thread that still predicts blocks no other request."""
    monkeypatch.setattr(service, "TIMEOUT_SECONDS", 0.02)
    record = published["forest"].records(1)
    async with running_pod(models["forest"]) as pod:
        late = await pod.traffic.post("/predict", json={"records": record * MAX_ROWS})
        assert late.status_code == HTTPStatus.GATEWAY_TIMEOUT
        assert late.headers["content-type"].startswith("application/json")
        ready = await pod.traffic.get("/")
        assert ready.status_code == HTTPStatus.OK
