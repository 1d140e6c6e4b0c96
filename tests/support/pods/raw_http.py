"""HTTP over a plain socket, for requests that no client library sends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from perennate.serving.http.listening import listening
from perennate.serving.port.connections import ConnectionLimits, protocol_class
from tests.support.ports import reserve_port

DEADLINE_SECONDS = 60.0


@dataclass
class Port:
    """A server with the protocol of the traffic port.

    Args:
        number: the port.
        counted: status codes of responses that the application did not send.
    """

    number: int
    counted: list[int] = field(default_factory=list)


class Connection:
    """A client connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Send bytes at once."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> RawAnswer:
        """The next response, whose length is announced."""
        head = await self._within(self.reader.readuntil(b"\r\n\r\n"))
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:-2])}
        length = int(headers.get("content-length", "0"))
        body = await self._within(self.reader.readexactly(length))
        return RawAnswer(int(lines[0].split(" ")[1]), headers, body)

    async def is_closed(self) -> bool:
        """Wait until the server closes the connection. False if it sends something instead."""
        try:
            return bool(await self._within(self.reader.read(1)) == b"")
        except ConnectionError:
            return True
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the connection."""
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def _within(self, step: Any) -> Any:
        return await asyncio.wait_for(step, DEADLINE_SECONDS)


@dataclass(frozen=True)
class RawAnswer:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes


async def connect(port: int) -> Connection:
    """Open a connection to a local port."""
    return Connection(*await asyncio.open_connection("127.0.0.1", port))


@contextlib.asynccontextmanager
async def traffic_port(app: ASGIApp, limits: ConnectionLimits) -> AsyncIterator[Port]:
    """An application behind the protocol of the traffic port."""
    port = Port(reserve_port())
    protocol = protocol_class(limits, port.counted.append)
    async with listening(
        app,
        host="127.0.0.1",
        port=port.number,
        protocol=protocol,
        keep_alive_seconds=limits.keep_alive_seconds,
    ):
        yield port


async def echo(request: Request) -> Response:
    """What the application received."""
    body = await request.body()
    return JSONResponse({"method": request.method, "body": body.decode(), "headers": dict(request.headers)})


def echo_app(**routes: Callable[[Request], Any]) -> Starlette:
    """An application that returns requests at /, and others by name."""
    others = [Route(f"/{name}", endpoint, methods=["POST"]) for name, endpoint in routes.items()]
    return Starlette(routes=[Route("/", echo, methods=["GET", "POST"]), *others])
