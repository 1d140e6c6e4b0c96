"""HTTP/1.1 connections of the traffic port: upgrade offers, deadlines, and a maximum number."""

from __future__ import annotations

import resource
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, Final

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from perennate.api.documents.serving_config import DEFAULT_KEEP_ALIVE_SECONDS, DEFAULT_MAX_CONNECTIONS

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

HEADER_SECONDS: Final = 10.0
"""Time from the first byte of a request to the end of its headers."""
REFUSAL_SECONDS: Final = 1.0
"""How long a connection above the maximum may wait with its request, to get the response 503."""
TOO_MANY: Final = "too many connections; retry later"
MAX_REFUSALS: Final = 64
RESERVED_DESCRIPTORS: Final = 192
"""File descriptors for refusals, probes, scrapes, and files."""
FINAL_CODE: Final = "perennate.code"
"""Key of an ASGI scope: the status code to count if the connection, and not the application, ended the request."""
CLIENT_CLOSED: Final = 499
"""Status code to count for a request whose client disconnected before the end of the response."""
OFFER_HEADERS: Final = frozenset({b"upgrade", b"http2-settings"})


@dataclass(frozen=True)
class ConnectionLimits:
    """Limits of the connections of a server.

    Args:
        keep_alive_seconds: time after which an idle connection is closed.
        max_connections: maximum number of open connections.
        header_seconds: time from the first byte of a request to the end of its headers.
    """

    keep_alive_seconds: int = DEFAULT_KEEP_ALIVE_SECONDS
    max_connections: int = DEFAULT_MAX_CONNECTIONS
    header_seconds: float = HEADER_SECONDS

    @property
    def max_refusals(self) -> int:
        """Maximum connections above the maximum that wait for their response; more are closed at once."""
        return min(MAX_REFUSALS, max(1, self.max_connections // 4))


def raise_descriptor_limit(wanted: int) -> int:
    """Raise the limit of open files of this process, if necessary and permitted.

    Args:
        wanted: number of connections.

    Returns:
        The number of connections that leaves `RESERVED_DESCRIPTORS`, at most `wanted`; of a small limit, a half.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + RESERVED_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else min(wanted, max(soft - RESERVED_DESCRIPTORS, soft // 2))


@dataclass(frozen=True, eq=False)
class _Server:
    """What the connections of one server share.

    Args:
        limits: of the connections.
        count: called with the status code of a response that the application does not see.
        refusing: connections above the maximum that wait for their response.
        waiting: connections whose client has yet to send the rest of a request, those that wait longest first.
    """

    limits: ConnectionLimits
    count: Callable[[int], None]
    refusing: set[TrafficProtocol] = field(default_factory=set)
    waiting: dict[TrafficProtocol, None] = field(default_factory=dict)


def protocol_class(limits: ConnectionLimits, count: Callable[[int], None]) -> type[TrafficProtocol]:
    """The protocol class for `uvicorn.Config(http=...)`.

    Args:
        limits: of the connections.
        count: called with the status code of a response that the application does not see.
    """
    return type("LimitedProtocol", (TrafficProtocol,), {"shared": _Server(limits, count)})


class TrafficProtocol(HttpToolsProtocol):
    """One connection.

    An offer to upgrade, such as that of Java's HttpClient or `curl --http2` to HTTP/2, is declined, and the request is
    answered with HTTP/1.1. Uvicorn does not read the body of such a request, because httptools does not.
    """

    shared: ClassVar[_Server]
    _header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection. If there are too many, it takes the place of one that waits for its client.

        It is refused if all others are being answered.
        """
        super().connection_made(transport)
        if len(self.connections) > self.shared.limits.max_connections and self.shared.waiting:
            next(iter(self.shared.waiting)).give_way()
        if len(self.connections) <= self.shared.limits.max_connections:
            self.shared.waiting[self] = None
            self._start_idle_timer()
            return
        self.connections.discard(self)
        if len(self.shared.refusing) >= self.shared.limits.max_refusals:
            self._drop()
            return
        # The response follows the request: a response before it would often be lost to a reset connection.
        self.shared.refusing.add(self)
        self._header_timer = self.loop.call_later(REFUSAL_SECONDS, self._drop)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers, and mark an unfinished request."""
        self._stop_header_timer()
        self.shared.refusing.discard(self)
        self.shared.waiting.pop(self, None)
        # Uvicorn stops this timer only if the connection was closed in order.
        self._unset_keepalive_if_required()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.scope.setdefault(FINAL_CODE, CLIENT_CLOSED)  # type: ignore[typeddict-item]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what the client sent."""
        if self in self.shared.refusing:
            self._end(HTTPStatus.SERVICE_UNAVAILABLE, TOO_MANY, b"retry-after: 1\r\n")
            return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline_upgrade(data[offer.args[0] :])
        except httptools.HttpParserError:
            self._end(HTTPStatus.BAD_REQUEST, "the request is not valid HTTP/1.1")

    def on_message_begin(self) -> None:
        """Start the deadline for the headers."""
        super().on_message_begin()
        self._stop_header_timer()
        self._header_timer = self.loop.call_later(self.shared.limits.header_seconds, self._headers_are_late)

    def on_headers_complete(self) -> None:
        """Pass the request to the application, unless it offers an upgrade."""
        self._stop_header_timer()
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note the end of the body."""
        if not self.parser.should_upgrade():
            self.shared.waiting.pop(self, None)
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of it, unless it has arrived already."""
        cycle: RequestResponseCycle | None = self.cycle
        half_sent = len(self.pipeline) == 1 and cycle is not None and cycle.more_body
        if (half_sent or not self.pipeline) and not self.transport.is_closing():
            self.shared.waiting[self] = None
        super().on_response_complete()

    def give_way(self) -> None:
        """Close the connection, because a new one takes its place. A client in the middle of a request gets 503."""
        self.shared.waiting.pop(self, None)
        self.connections.discard(self)
        cycle: RequestResponseCycle | None = self.cycle
        if self._header_timer is None and (cycle is None or cycle.response_complete):
            self.transport.close()
        else:
            self._end(HTTPStatus.SERVICE_UNAVAILABLE, TOO_MANY, b"retry-after: 1\r\n")

    def _decline_upgrade(self, rest: bytes) -> None:
        """Parse the request again, without the offer.

        Args:
            rest: what follows the headers.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._end(HTTPStatus.METHOD_NOT_ALLOWED, "CONNECT is not supported: this is not a proxy")
            return
        version = self.parser.get_http_version().encode()
        headers = b"".join(b"%s: %s\r\n" % pair for pair in without_offer(self.headers))
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.data_received(b"%s %s HTTP/%s\r\n%s\r\n" % (method, self.url, version, headers) + rest)

    def _drop(self) -> None:
        """Close the connection without a response."""
        self.shared.count(HTTPStatus.SERVICE_UNAVAILABLE)
        self.transport.abort()

    def _headers_are_late(self) -> None:
        self._end(
            HTTPStatus.REQUEST_TIMEOUT, f"the headers did not arrive within {self.shared.limits.header_seconds:g} s"
        )

    def _end(self, status: HTTPStatus, reason: str, headers: bytes = b"") -> None:
        """Send an error response and close the connection, after the responses to earlier requests."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.shared.count(status)
        elif self.pipeline or cycle.response_started or not cycle.more_body:
            # An earlier request is being answered; the broken one behind it gets no response.
            cycle.keep_alive = False
            self.flow.pause_reading()
            return
        else:
            cycle.scope.setdefault(FINAL_CODE, int(status))  # type: ignore[typeddict-item]
        body = orjson.dumps({"error": reason})
        self.transport.write(
            b"%scontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n%s\r\n%s"
            % (STATUS_LINE[status], len(body), headers, body)
        )
        self.transport.close()

    def _start_idle_timer(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None


def without_offer(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of a request without its offer to upgrade."""
    kept = []
    for name, value in headers:
        if name == b"connection":
            options = [option for option in value.split(b",") if option.strip().lower() not in OFFER_HEADERS]
            if options:
                kept.append((name, b",".join(options)))
        elif name not in OFFER_HEADERS:
            kept.append((name, value))
    return kept
