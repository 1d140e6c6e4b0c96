"""Request bodies: their type, encoding, size and deadline."""

from __future__ import annotations

import asyncio
import io
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect

from perennate.serving.metrics import INFER, endpoint
from perennate.serving.port.decompression import Inflater, inflater_for
from perennate.serving.request_error import BINARY, JSON, RequestError, overloaded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from perennate.serving.port.large_bodies import LargeBodies
    from perennate.serving.port.pacing import Pacing

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""Maximum size of a request body, after decompression."""
DISCARDED_BYTES: Final = 8 * MAX_BODY_BYTES
"""How much of a body that is too large is read and discarded, so that the client can read the error response."""
SMALL_BYTES: Final = 64 * 1024
"""Bodies up to this size are always read: the number of connections bounds their memory."""
HELD_BYTES: Final = 4 * MAX_BODY_BYTES
"""Maximum size of all larger request bodies in memory together."""
BODY_SECONDS: Final = 30.0
"""Time from the headers of a request to the end of its body."""
BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
LENGTH_DIGITS: Final = 18
JSON_LENGTH: Final = "inference-header-content-length"
"""Header with the length of the JSON text at the start of a body with binary tensors."""


class BodyMiddleware:
    """Reads bodies before the application gets the request, so that a slow client holds only its connection.

    A content type other than JSON, such as `application/vnd.bentoml+pickle`, gets 415; an inference request may also be
    `application/octet-stream`, for binary tensors. A body that is too large gets 413, one that is late 408, and one
    that exceeds the total capacity at this moment 503.

    Args:
        app: the wrapped application; it receives the body in one message, without content encoding.
        large: checks large bodies.
        pacing: says when the application gets a request whose body has arrived.
        is_overloaded: whether a request is refused before its body is read.
        capacity: bytes of all bodies over `SMALL_BYTES` together.
        seconds: time to read a body.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        large: LargeBodies,
        pacing: Pacing,
        is_overloaded: Callable[[], bool],
        capacity: int = HELD_BYTES,
        seconds: float = BODY_SECONDS,
    ) -> None:
        self._app = app
        self._large = large
        self._is_overloaded = is_overloaded
        self._pacing = pacing
        self._memory = _Memory(capacity)
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] not in BODY_METHODS:
            await self._app(scope, receive, send)
            return
        body = _Body(self._memory)
        headers = Headers(scope=scope)
        try:
            content = await self._content(scope["path"], headers, receive, body)
            await self._pacing.turn()
            await self._app(_plain(scope, headers, content), _replay(content, receive), send)
        except RequestError as error:
            await error.response(close=body.is_unread)(scope, receive, send)
        except ClientDisconnect:
            return
        finally:
            body.release()

    async def _content(self, path: str, headers: Headers, receive: Receive, body: _Body) -> bytes:
        """The body without content encoding.

        Raises:
            RequestError: the request is refused.
            ClientDisconnect: the client disconnected.
        """
        size = _length(headers, "content-length")
        # A small body is soon read, so the connection can be kept although the application does not read it.
        body.is_unread = size is None or size > SMALL_BYTES
        if self._pacing.is_full() or self._is_overloaded():
            raise overloaded("too many requests")
        _check_type(headers.get("content-type"), path)
        inflate = inflater_for(headers.get("content-encoding"))
        body.is_unread = True
        try:
            async with asyncio.timeout(self._seconds):
                content = await body.read(receive, size or 0, inflate)
        except TimeoutError:
            raise RequestError(HTTPStatus.REQUEST_TIMEOUT, f"body: did not arrive within {self._seconds:g} s") from None
        body.is_unread = False
        await self._large.check(content[: _json_length(path, headers)], len(content))
        return content


class _Memory:
    """Counts the bytes of large bodies in memory."""

    def __init__(self, capacity: int) -> None:
        self._free = capacity

    def take(self, size: int) -> None:
        if size > self._free:
            raise overloaded("too many large request bodies")
        self._free -= size

    def give_back(self, size: int) -> None:
        self._free += size


class _Body:
    """One body while it is read."""

    def __init__(self, memory: _Memory) -> None:
        self.is_unread = False
        self._memory = memory
        self._taken = 0
        # getvalue() of a BytesIO does not copy, unlike joining parts.
        self._content = io.BytesIO()
        self._size = 0

    def release(self) -> None:
        """Give back the memory."""
        self._memory.give_back(self._taken)
        self._taken = 0

    async def read(self, receive: Receive, announced: int, inflate: Inflater | None) -> bytes:
        """Read to the end.

        Args:
            receive: the messages of the client.
            announced: size in bytes on the wire, if the client announced one.
            inflate: decompresses the body, if it is compressed.
        """
        received = 0
        async for part in _parts_of(receive):
            received += len(part)
            if max(received, announced, self._size) <= MAX_BODY_BYTES:
                self._add(part if inflate is None else inflate.next(part, MAX_BODY_BYTES + 1 - self._size))
            elif received > DISCARDED_BYTES:
                break
        if max(received, announced, self._size) > MAX_BODY_BYTES:
            uncompressed = "" if inflate is None else " after decompression"
            raise RequestError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"body: must have at most {MAX_BODY_BYTES} bytes{uncompressed}"
            )
        if inflate is not None:
            inflate.check_end()
        return self._content.getvalue()

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > SMALL_BYTES:
            self._memory.take(self._size - self._taken)
            self._taken = self._size
        self._content.write(part)


def _length(headers: Headers, name: str) -> int | None:
    """A length in a header; None if there is none that a body can have."""
    text = headers.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= LENGTH_DIGITS else None


def _json_length(path: str, headers: Headers) -> int | None:
    """Length of the JSON text at the start of a body with binary tensors; None for all of the body."""
    return _length(headers, JSON_LENGTH) if endpoint(path) == INFER else None


def _check_type(content_type: str | None, path: str) -> None:
    kind = (content_type or JSON).partition(";")[0].strip().lower()
    allowed = (JSON, BINARY) if endpoint(path) == INFER else (JSON,)
    if kind not in allowed:
        raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"content-type: must be {' or '.join(allowed)}")


def _plain(scope: Scope, headers: Headers, content: bytes) -> Scope:
    """The scope of the same request without content encoding."""
    if "content-encoding" not in headers:
        return scope
    changed = MutableHeaders(raw=list(scope["headers"]))
    del changed["content-encoding"]
    changed["content-length"] = str(len(content))
    return {**scope, "headers": changed.raw}


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
