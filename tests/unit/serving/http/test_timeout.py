"""Requests that time out."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http import HTTPStatus

import pytest

from perennate.serving.capture.predictor import WARM_UP_ROWS
from perennate.serving.http import service
from perennate.serving.model.model import BatchPrediction, ServedModel
from perennate.serving.model.schema import Batch
from tests.support.pods.serving import Published
from tests.support.pods.serving_pod import running_pod


class HeldModel(ServedModel):
    """A model that predicts only while it is released, so a test controls the duration of a request."""

    def __init__(self, model: ServedModel) -> None:
        self.__dict__.update(model.__dict__)
        self.released = threading.Event()
        self.released.set()

    def predict(self, batch: Batch) -> BatchPrediction:
        """Wait for the release, then predict."""
        assert self.released.wait(60)
        return super().predict(batch)


async def test_a_timeout_gives_504_and_does_not_block_other_requests(
    models: Mapping[str, ServedModel], published: Mapping[str, Published], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that still predicts does not block other requests."""
    monkeypatch.setattr(service, "TIMEOUT_SECONDS", 0.2)
    model = HeldModel(models["forest"])
    async with running_pod(model) as pod:
        model.released.clear()
        try:
            # More rows than are ever predicted without a thread.
            records = published["forest"].records(1) * (WARM_UP_ROWS[-1] + 1)
            late = await pod.traffic.post("/predict", json={"records": records})
            assert late.status_code == HTTPStatus.GATEWAY_TIMEOUT
            assert late.headers["content-type"].startswith("application/json")
            ready = await pod.traffic.get("/")
            assert ready.status_code == HTTPStatus.OK
        finally:
            model.released.set()
