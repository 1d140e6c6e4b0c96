"""A proxy for the API server that can stall watches: connections stay open but deliver nothing."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from tests.support.cluster.killing_proxy import KillingProxy

_BEAT_SECONDS = 0.5


@dataclass
class StallingProxy(KillingProxy):
    """A proxy that can stall watches, and sends data on each of them otherwise.

    The API server sends a bookmark on each watch once a minute. The proxy sends an empty line, which clients ignore,
    twice a second, so that a test can tell a live watch from a stalled one within seconds.
    """

    _flowing: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        """Let watches flow until `stall` is called."""
        self._flowing.set()

    def stall(self) -> None:
        """Hold back watch events and the responses to new watches."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def flow(self) -> None:
        """Resume watches."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    async def _stream(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        if request.query.get("watch") != "true":
            return await super()._stream(request, answer)
        await self._flowing.wait()
        response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.headers["Content-Type"]})
        with contextlib.suppress(ConnectionResetError):  # The client was killed.
            await response.prepare(request)
            last = b"\n"
            while not answer.content.at_eof():
                chunk = await self._next(answer.content)
                await self._flowing.wait()
                # An empty line must not split an incomplete line.
                if chunk or last.endswith(b"\n"):
                    await response.write(chunk or b"\n")
                last = chunk or last
            await response.write_eof()
        return response

    async def _next(self, content: aiohttp.StreamReader) -> bytes:
        """The next bytes from the API server; empty if none arrive within the interval."""
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(content.readany(), _BEAT_SECONDS)
        return b""
