"""What every request on the traffic port passes through."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect

from perennate.serving.metrics import endpoint
from perennate.serving.request_error import JSON, RequestError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from perennate.serving.lifecycle import Lifecycle
    from perennate.serving.metrics import Metrics

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""Bytes of a request's body."""
DISCARDED_BYTES: Final = 8 * MAX_BODY_BYTES
"""Of a body that is too large so much is read and thrown away, so that the client gets to read why it is refused."""
HELD_BYTES: Final = 4 * MAX_BODY_BYTES
"""Bytes of all bodies that a pod holds at one time."""
BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})


class MetricsMiddleware:
    """Counts and times every request, and asks connections to end while the pod does. The outermost layer.

    Args:
        app: what answers.
        metrics: where it is counted.
        lifecycle: tells when the pod ends.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, lifecycle: Lifecycle) -> None:
        self._app = app
        self._metrics = metrics
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (or pass on the messages of the application's life)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        label, start = endpoint(scope["path"]), time.perf_counter()
        code = int(HTTPStatus.INTERNAL_SERVER_ERROR)

        async def note(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
                if self._lifecycle.is_draining:
                    # A client that keeps its connection would send its next request to a pod that is gone.
                    MutableHeaders(raw=message["headers"])["connection"] = "close"
            await send(message)

        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, note)
        finally:
            self._metrics.in_flight.dec()
            self._metrics.requests.labels(label, str(code)).inc()
            self._metrics.seconds.labels(label).observe(time.perf_counter() - start)


class BodyLimitMiddleware:
    """Reads the body before anyone parses it: JSON only, and no more than a pod can hold.

    So a pickle (`application/vnd.bentoml+pickle`) or a form gets 415 on every route, a body that is too long 413, and
    one for which there is no room at the moment 429.

    Args:
        app: what answers; it gets the body in one piece.
        capacity: bytes of all bodies that are held at one time.
    """

    def __init__(self, app: ASGIApp, *, capacity: int = HELD_BYTES) -> None:
        self._app = app
        self._capacity = capacity
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] not in BODY_METHODS:
            await self._app(scope, receive, send)
            return
        parts: list[bytes] = []
        try:
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
            RequestError: it is not JSON, too long, or there is no room.
            ClientDisconnect: the client went away.
        """
        _check_type(headers.get("content-type"))
        length = headers.get("content-length", "")
        size, announced = 0, int(length) if length.isdecimal() else 0
        async for part in _parts_of(receive):
            size += len(part)
            if max(size, announced) <= MAX_BODY_BYTES:
                parts.append(part)
                self._held += len(part)
                if self._held > self._capacity:
                    raise RequestError(
                        HTTPStatus.TOO_MANY_REQUESTS, "the pod holds too many large bodies; try again soon"
                    )
            elif size > DISCARDED_BYTES:
                break
        if max(size, announced) > MAX_BODY_BYTES:
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"body: must have at most {MAX_BODY_BYTES} bytes")


def _check_type(content_type: str | None) -> None:
    kind = (content_type or JSON).partition(";")[0].strip().lower()
    if kind != JSON:
        raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"content-type: must be {JSON}")


async def _parts_of(receive: Receive) -> AsyncIterator[bytes]:
    """The parts of a body as they come."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        yield message.get("body", b"")


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body as one message, and then whatever else the client does."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
