"""What every request on the traffic port passes through."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders

from perennate.serving.metrics import endpoint
from perennate.serving.refusal import JSON, Refused

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from perennate.serving.lifecycle import Lifecycle
    from perennate.serving.metrics import Metrics

MAX_BODY: Final = 16 * 1024 * 1024
"""Bytes of a request's body."""
DISCARDED_BYTES: Final = 8 * MAX_BODY
"""Of a body that is too large so much is read and thrown away, so that the client gets to read why it is refused."""
BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})


class Meter:
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


class BodyGuard:
    """Reads the body before anyone parses it: JSON only, and no more of it than a pod can hold.

    So a pickle (`application/vnd.bentoml+pickle`) or a form gets 415 on every route.

    Args:
        app: what answers; it gets the body in one piece.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] not in BODY_METHODS:
            await self._app(scope, receive, send)
            return
        try:
            _check_type(Headers(scope=scope).get("content-type"))
            body = await _read_body(Headers(scope=scope).get("content-length"), receive)
        except Refused as refused:
            await refused.response(close=True)(scope, receive, send)
            return
        if body is None:
            return
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return pending.pop() if pending else await receive()

        await self._app(scope, replay, send)


def _check_type(content_type: str | None) -> None:
    kind = (content_type or JSON).partition(";")[0].strip().lower()
    if kind != JSON:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"content-type: must be {JSON}")


async def _read_body(content_length: str | None, receive: Receive) -> bytes | None:
    """The whole body; None if the client went away.

    Raises:
        Refused: it is too large; then what still comes is read and thrown away, up to a limit.
    """
    announced = int(content_length) if content_length and content_length.isdecimal() else 0
    parts: list[bytes] = []
    size, more = 0, True
    while more and size <= DISCARDED_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if max(size, announced) <= MAX_BODY:
            parts.append(part)
        else:
            parts.clear()
        more = message.get("more_body", False)
    if max(size, announced) > MAX_BODY:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"body: must have at most {MAX_BODY} bytes; send fewer rows")
    return b"".join(parts)
