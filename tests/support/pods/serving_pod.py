"""A serving pod inside the test process: both applications, combined like in `server`."""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
from starlette.applications import Starlette
from starlette.types import ASGIApp

from perennate.api.documents.serving_config import HttpConfig
from perennate.serving.capture.feedback import Feedback
from perennate.serving.capture.predictor import Predictor, Randomness
from perennate.serving.capture.recording import FailOpenRecorder
from perennate.serving.capture.signing import Signer
from perennate.serving.capture.token import FeedbackToken
from perennate.serving.http.operations import Operations
from perennate.serving.lifecycle import Lifecycle
from perennate.serving.metrics import Metrics
from perennate.serving.model.model import ServedModel
from perennate.serving.port.access_log import AccessLog
from perennate.serving.port.large_bodies import LargeBodies
from perennate.serving.port.stack import traffic_app

with warnings.catch_warnings():
    # Importing BentoML causes deprecation warnings in its dependencies.
    warnings.simplefilter("ignore", DeprecationWarning)
    from perennate.serving.http.service import create_app

NOW = 1_767_225_600.0
SIGNER = Signer(bytes(range(32)))


@dataclass(frozen=True, eq=False)
class Pod:
    """Both ports of a pod, and the objects behind them; `app` is the application of the traffic port."""

    app: Starlette
    traffic: httpx.AsyncClient
    operations: httpx.AsyncClient
    lifecycle: Lifecycle
    metrics: Metrics
    recording: FailOpenRecorder
    predictor: Predictor
    log: list[str]

    def sample(self, name: str, **labels: str) -> float:
        """The value of a metric, 0 if it does not exist yet."""
        return self.metrics.registry.get_sample_value(f"perennate_serving_{name}", labels) or 0.0


@contextlib.asynccontextmanager
async def running_pod(
    model: ServedModel, http: HttpConfig | None = None, token: FeedbackToken | None = None
) -> AsyncIterator[Pod]:
    """A ready pod with a fixed clock and sequential tokens instead of random ones."""
    lifecycle, metrics, large = Lifecycle(), Metrics(), LargeBodies()
    http = http or HttpConfig()
    recording = FailOpenRecorder(model, start=NOW, metrics=metrics)
    tokens = itertools.count()
    predictor = Predictor(
        model,
        recording=recording,
        metrics=metrics,
        randomness=Randomness(token=lambda: f"{next(tokens):010x}", share=lambda: 0.5),
        clock=lambda: NOW,
        signer=SIGNER,
    )
    predictor.warm_up()
    feedback = Feedback(model, recorder=recording.recorder, metrics=metrics, clock=lambda: NOW, signer=SIGNER)
    operations = Operations(lifecycle, metrics)
    with warnings.catch_warnings():
        # Its pydantic models cause deprecation warnings as well.
        warnings.simplefilter("ignore", DeprecationWarning)
        app = create_app(predictor, feedback, lifecycle, large, token)
    lines: list[str] = []
    wrapped = traffic_app(
        app,
        metrics=metrics,
        lifecycle=lifecycle,
        log=AccessLog(http.access_log, clock=lambda: NOW, write=lines.append),
        large=large,
        is_overloaded=predictor.lanes.is_full,
        waiting=lambda: predictor.lanes.waiting,
        allowed_origins=http.allowed_origins,
    )
    async with (
        app.router.lifespan_context(app),
        client(wrapped) as traffic,
        client(operations.app) as probes,
    ):
        operations.attach(model, recording.recorder)
        lifecycle.become_ready()
        yield Pod(app, traffic, probes, lifecycle, metrics, recording, predictor, lines)
    predictor.close()


def client(app: ASGIApp) -> httpx.AsyncClient:
    """An HTTP client that calls the application without a network."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://pod", timeout=30)
