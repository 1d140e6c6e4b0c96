"""The operations port: probes, metrics, counts and profile."""

from __future__ import annotations

import asyncio
import gzip
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import orjson
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from perennate.serving.request_error import JSON

if TYPE_CHECKING:
    from starlette.requests import Request

    from perennate.drift import Recorder
    from perennate.serving.lifecycle import Lifecycle
    from perennate.serving.metrics import Metrics
    from perennate.serving.model.model import ServedModel

GZIP_LEVEL: Final = 3


class Operations:
    """The application of the operations port. It answers before the model is loaded.

    Args:
        lifecycle: the phase that the probes report.
        metrics: the metrics of the pod.
    """

    def __init__(self, lifecycle: Lifecycle, metrics: Metrics) -> None:
        self._lifecycle = lifecycle
        self._metrics = metrics
        self._model: ServedModel | None = None
        self._recorder: Recorder | None = None
        self.app = Starlette(
            routes=[
                Route("/livez", self._livez),
                Route("/readyz", self._readyz),
                Route("/metrics", self._render_metrics),
                Route("/counts", self._counts),
                Route("/profile", self._profile),
            ]
        )

    def attach(self, model: ServedModel, recorder: Recorder) -> None:
        """Provide profile and counts, once the model is loaded."""
        self._model = model
        self._recorder = recorder

    async def _livez(self, request: Request) -> Response:
        """Whether the process answers."""
        del request
        return PlainTextResponse("ok\n")

    async def _readyz(self, request: Request) -> Response:
        """Whether the pod accepts traffic."""
        del request
        status = HTTPStatus.OK if self._lifecycle.is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return PlainTextResponse(f"{self._lifecycle.phase}\n", status)

    async def _render_metrics(self, request: Request) -> Response:
        del request
        # Rendering takes milliseconds; a thread keeps other requests from waiting.
        text = await asyncio.to_thread(self._metrics.render)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    async def _counts(self, request: Request) -> Response:
        """The counts document of the recorder."""
        if self._recorder is None:
            return _loading()
        body = orjson.dumps(self._recorder.document())
        headers = {"vary": "accept-encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            body = gzip.compress(body, GZIP_LEVEL)
            headers["content-encoding"] = "gzip"
        return Response(body, headers=headers, media_type=JSON)

    async def _profile(self, request: Request) -> Response:
        """The bytes of profile.json; the operator checks their digest."""
        del request
        return _loading() if self._model is None else Response(self._model.profile_bytes, media_type=JSON)


def _loading() -> Response:
    return PlainTextResponse("loading the model\n", HTTPStatus.SERVICE_UNAVAILABLE)
