"""Reads the documents of serving pods.

Pods are not trusted: a response is limited in time, size and number of parts, and a failure is a value.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from perennate.api.wellknown import OPERATIONS_PORT
from perennate.kube.monitoring.addresses import is_pod_address, parse_address
from perennate.kube.monitoring.response import RECEIVE_BYTES, InvalidResponseError, ResponseReader

TIMEOUT_SECONDS: Final = 5.0
"""Timeout of one request in seconds, from connecting to the last byte."""
REQUEST_BYTES: Final = 96 * 1024
"""Memory of one request before its document arrives, and of less than `_STEP` bytes of it."""
_STEP: Final = 64 * 1024
_SMALL: Final = 16 * 1024
_FIRST_PAUSE: Final = 0.001
_LONGEST_PAUSE: Final = 0.25


@dataclass(frozen=True)
class ScrapeFailure:
    """A pod did not return a document; the message says why, for people."""

    message: str


class Allowance(Protocol):
    """What a request may take of the operator's memory and time."""

    async def grow_to(self, amount: int) -> None:
        """Wait until the request may take so many bytes of memory."""
        ...

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Wait for a turn to parse something, which ends with the `async with` block."""
        ...


class MetricsSource(Protocol):
    """Reads documents of pods."""

    async def read(self, address: str, path: str, *, limit: int, allowance: Allowance) -> bytes | ScrapeFailure:
        """The document at `path` of the pod with this IP address, at most `limit` bytes."""
        ...


class HttpMetricsSource:
    """Scrapes over HTTP, by pod address and never by URL: one request per connection, no redirects, no compression.

    Args:
        port: the port of the pods.
        timeout: seconds from connecting to the last byte.
        refused: addresses that are not scraped, besides those that no pod can have.
        allowed: whether an address can be a pod's.
        sleep: waits for some seconds.
    """

    def __init__(
        self,
        *,
        port: int = OPERATIONS_PORT,
        timeout: float = TIMEOUT_SECONDS,
        refused: Collection[str] = frozenset(),
        allowed: Callable[[str], bool] = is_pod_address,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._port = port
        self._timeout = timeout
        self._refused = frozenset(refused)
        self._allowed = allowed
        self._sleep = sleep

    async def read(self, address: str, path: str, *, limit: int, allowance: Allowance) -> bytes | ScrapeFailure:
        """The document at `path` of the pod with this IP address, at most `limit` bytes.

        It takes at most `REQUEST_BYTES` of memory at first, and more only as the document arrives.
        """
        if not self._may_ask(address):
            return ScrapeFailure(f"{address!r} is not an address that a pod can have"[:300])
        reader = ResponseReader(path, _host(address, self._port), limit)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(address, reader, allowance)
        except TimeoutError:
            return ScrapeFailure(f"{path} did not respond within {self._timeout:g} s")
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else type(error).__name__
            return ScrapeFailure(f"{path}: {reason}")
        except InvalidResponseError as error:
            return ScrapeFailure(f"{path} {error}")

    def _may_ask(self, address: str) -> bool:
        parsed = parse_address(address)
        return parsed is not None and str(parsed) not in self._refused and self._allowed(address)

    async def _exchange(self, address: str, reader: ResponseReader, allowance: Allowance) -> bytes:
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as connection:
            # The kernel doubles this. Without it, a pod could fill several megabytes for each connection.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
            await loop.sock_connect(connection, (address, self._port))
            self._check_peer(connection)
            await loop.sock_sendall(connection, reader.request)
            return await self._document(loop, connection, reader, allowance)

    def _check_peer(self, connection: socket.socket) -> None:
        """Raise unless the connection ends where it may: the check of the address again, where it counts."""
        if not self._may_ask(str(connection.getpeername()[0])):
            raise OSError(errno.EADDRNOTAVAIL, "the connection does not end at a pod")

    async def _document(
        self, loop: asyncio.AbstractEventLoop, connection: socket.socket, reader: ResponseReader, allowance: Allowance
    ) -> bytes:
        """Receive the response.

        After small pieces there are growing pauses, in which more arrives. So a pod that sends single bytes does not
        keep the event loop busy.
        """
        pause = _FIRST_PAUSE
        while (document := reader.document) is None:
            data = await loop.sock_recv(connection, reader.wanted)
            async with allowance.turn():
                reader.feed(data)
            await allowance.grow_to(REQUEST_BYTES + reader.size // _STEP * _STEP)
            if len(data) < _SMALL and reader.document is None:
                await self._sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        return document


def _host(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
