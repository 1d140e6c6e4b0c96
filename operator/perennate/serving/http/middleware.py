"""Middleware of the traffic port."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect

from perennate.serving.metrics import INFER, endpoint
from perennate.serving.request_error import BINARY, JSON, RequestError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from perennate.serving.lifecycle import Lifecycle
    from perennate.serving.metrics import Metrics

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""Maximum size of a request body."""
DISCARDED_BYTES: Final = 8 * MAX_BODY_BYTES
"""How much of a body that is too large is read and discarded, so that the client can read the error response."""
HELD_BYTES: Final = 4 * MAX_BODY_BYTES
"""Maximum size of all request bodies in memory together."""
BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})


class MetricsMiddleware:
    """Counts and times every request, and closes connections while the pod drains. The outermost middleware.

    Args:
        app: the wrapped application.
        metrics: the metrics of the pod.
        lifecycle: the phase of the pod.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, lifecycle: Lifecycle) -> None:
        self._app = app
        self._metrics = metrics
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or pass on the lifespan messages of ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        label, start = endpoint(scope["path"]), time.perf_counter()
        code = int(HTTPStatus.INTERNAL_SERVER_ERROR)

        async def send_observed(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
                if self._lifecycle.is_draining:
                    # A client that reuses the connection would send its next request to a pod that has ended.
                    MutableHeaders(raw=message["headers"])["connection"] = "close"
            await send(message)

        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, send_observed)
        finally:
            self._metrics.in_flight.dec()
            self._metrics.requests.labels(label, str(code)).inc()
            self._metrics.seconds.labels(label).observe(time.perf_counter() - start)


class BodyLimitMiddleware:
    """Limits request bodies before anything parses them.

    A content type other than JSON, such as `application/vnd.bentoml+pickle`, gets 415; an inference request may also be
    `application/octet-stream`, for binary tensors. A body that is too large gets 413, and a body that exceeds the total
    capacity at this moment 429.

    Args:
        app: the wrapped application; it receives the body in one message.
        capacity: bytes of all bodies in memory together.
    """

    def __init__(self, app: ASGIApp, *, capacity: int = HELD_BYTES) -> None:
        self._app = app
        self._capacity = capacity
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] not in BODY_METHODS:
            await self._app(scope, receive, send)
            return
        parts: list[bytes] = []
        try:
            _check_type(Headers(scope=scope).get("content-type"), scope["path"])
            await self._read(Headers(scope=scope), receive, parts)
            await self._app(scope, _replay(b"".join(parts), receive), send)
        except RequestError as error:
            await error.response(close=True)(scope, receive, send)
        except ClientDisconnect:
            return
        finally:
            self._held -= sum(map(len, parts))

    async def _read(self, headers: Headers, receive: Receive, parts: list[bytes]) -> None:
        """Collect the parts of the body.

        Raises:
            RequestError: the body is too large, or the capacity is used up.
            ClientDisconnect: the client disconnected.
        """
        length = headers.get("content-length", "")
        size, announced = 0, int(length) if length.isdecimal() else 0
        async for part in _parts_of(receive):
            size += len(part)
            if max(size, announced) <= MAX_BODY_BYTES:
                parts.append(part)
                self._held += len(part)
                if self._held > self._capacity:
                    raise RequestError(
                        HTTPStatus.TOO_MANY_REQUESTS, "too many large request bodies at once; retry later"
                    )
            elif size > DISCARDED_BYTES:
                break
        if max(size, announced) > MAX_BODY_BYTES:
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"body: must have at most {MAX_BODY_BYTES} bytes")


def _check_type(content_type: str | None, path: str) -> None:
    kind = (content_type or JSON).partition(";")[0].strip().lower()
    allowed = (JSON, BINARY) if endpoint(path) == INFER else (JSON,)
    if kind not in allowed:
        raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"content-type: must be {' or '.join(allowed)}")


async def _parts_of(receive: Receive) -> AsyncIterator[bytes]:
    """The parts of a body as they arrive."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        yield message.get("body", b"")


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body as one message, followed by the other messages of the client."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
