"""Metrics, ids and log of every request."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from perennate.serving.lanes import client_is_gone
from perennate.serving.metrics import endpoint
from perennate.serving.port.access_log import AccessLog, Entry
from perennate.serving.port.connections import FINAL_CODE
from perennate.serving.port.request_ids import RequestIds

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from perennate.serving.lifecycle import Lifecycle
    from perennate.serving.metrics import Metrics


class ObservingMiddleware:
    """Counts, times and logs every request, and closes connections while the pod drains. The outermost middleware.

    Args:
        app: the wrapped application.
        metrics: the metrics of the pod.
        lifecycle: the phase of the pod.
        log: the access log.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, lifecycle: Lifecycle, log: AccessLog) -> None:
        self._app = app
        self._metrics = metrics
        self._lifecycle = lifecycle
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or pass on the lifespan messages of ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, ids = time.perf_counter(), RequestIds.of(scope["headers"])
        code, size = int(HTTPStatus.INTERNAL_SERVER_ERROR), None

        async def send_observed(message: Message) -> None:
            nonlocal code, size
            if message["type"] == "http.response.start":
                code = message["status"]
                message["headers"] = [*message.get("headers", ()), *ids.headers()]
                size = Headers(raw=message["headers"]).get("content-length") if self._log.wants(code) else None
                if self._lifecycle.is_draining:
                    # A client that reuses the connection would send its next request to a pod that has ended.
                    MutableHeaders(raw=message["headers"])["connection"] = "close"
            await send(message)

        client_is_gone.set(lambda: FINAL_CODE in scope)
        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, send_observed)
        finally:
            self._metrics.in_flight.dec()
            seconds, final = time.perf_counter() - start, int(scope.get(FINAL_CODE, code))
            label = endpoint(scope["path"])
            self._metrics.requests.labels(label, str(final)).inc()
            self._metrics.seconds.labels(label).observe(seconds)
            if self._log.wants(final):
                self._log.add(_entry(scope, final, seconds, ids, size))


def _entry(scope: Scope, code: int, seconds: float, ids: RequestIds, size: str | None) -> Entry:
    return Entry(
        method=scope["method"],
        path=scope["path"],
        code=code,
        seconds=seconds,
        request_id=ids.request_id.decode(),
        trace_id=None if ids.trace_id is None else ids.trace_id.decode(),
        bytes_sent=int(size) if size is not None and size.isdecimal() else None,
    )
