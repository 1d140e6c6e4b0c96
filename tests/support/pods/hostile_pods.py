"""Pods on loopback addresses that answer scrapes in any way, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Self, TypeAlias

Answer: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes the response to one request; afterwards the connection is closed."""
EVERYWHERE = ("0.0.0.0",)
OK = b"HTTP/1.1 200 OK\r\n"
JSON = b"content-type: application/json\r\n"
CHUNKED = OK + JSON + b"transfer-encoding: chunked\r\n\r\n"


class Unlimited:
    """As much memory and time as a request wants.

    Attributes:
        amounts: the sizes that were asked for.
        turns: number of turns.
    """

    def __init__(self) -> None:
        self.amounts: list[int] = []
        self.turns = 0

    async def grow_to(self, amount: int) -> None:
        """Note the size."""
        self.amounts.append(amount)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Count the turn."""
        self.turns += 1
        yield


class LoopbackPods:
    """Pods on all addresses 127.x.y.z, on one port.

    Args:
        answers: what a pod answers, by path or by address and path.
        hosts: addresses to listen on; all unless given.
        port: the port; a free one unless given. A process that listens on an address comes before one on all.

    Attributes:
        port: the port.
        requests: number of requests by address and path.
        open: number of open connections.
    """

    def __init__(self, answers: Mapping[Any, Answer], *, hosts: Sequence[str] = EVERYWHERE, port: int = 0) -> None:
        self.answers = answers
        self.port = port
        self._hosts = hosts
        self.requests: Counter[tuple[str, str]] = Counter()
        self.open = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(
            self._connected, self._hosts, self.port, backlog=2_000, reuse_port=True
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def serve_forever(self) -> None:
        """Serve until cancelled."""
        assert self._server is not None
        await self._server.serve_forever()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                request = await reader.readuntil(b"\r\n\r\n")
                address, path = writer.get_extra_info("sockname")[0], request.split(b" ")[1].decode()
                self.requests[address, path] += 1
                answer = self.answers.get((address, path)) or self.answers.get(path, not_found)
                await answer(writer)
                await writer.drain()
        finally:
            self.open -= 1
            writer.close()


def fixed(content: bytes) -> Answer:
    """Send these bytes as the whole response."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        """Write the response."""
        writer.write(content)
        await writer.drain()

    return answer


def document(content: bytes) -> Answer:
    """Send a JSON document as an honest pod does."""
    return fixed(OK + JSON + b"content-length: %d\r\n\r\n" % len(content) + content)


def endless(start: bytes, piece: bytes) -> Answer:
    """Send `start`, then `piece` without end, as fast as possible."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        """Write the response."""
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()

    return answer


def drip(start: bytes, piece: bytes, *, seconds: float) -> Answer:
    """Send `start`, then `piece` at this interval without end."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        """Write the response."""
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(seconds)

    return answer


async def silence(_: asyncio.StreamWriter) -> None:
    """Never respond."""
    await asyncio.Event().wait()


async def reset(writer: asyncio.StreamWriter) -> None:
    """Reset the connection."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def not_found(writer: asyncio.StreamWriter) -> None:
    """Respond with status 404."""
    writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
