"""Uvicorn servers that share one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Final

import uvicorn

from perennate.serving.errors import ListenError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Generator

    from starlette.types import ASGIApp
    from uvicorn.config import HTTPProtocolType

GRACEFUL_SECONDS: Final = 20
"""Time for requests in progress after a server stops accepting. Longer than `service.TIMEOUT_SECONDS`."""
BACKLOG: Final = 2048
OPERATIONS_KEEP_ALIVE_SECONDS: Final = 75
"""Longer than the interval of common scrapers."""


class _Server(uvicorn.Server):
    """A server that reports when it listens, and leaves signals to its owner: two servers cannot both handle them."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Install no signal handler."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then listen."""
        try:
            await super().startup(sockets)
        except SystemExit as error:
            raise ListenError("the application did not start; see the log") from error
        self.listens.set()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; an empty host means all addresses, IPv4 and IPv6.

    Raises:
        ListenError: the port is in use or not permitted.
    """
    dual = not host and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual or ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=dual)
    except OSError as error:
        raise ListenError(f"port {port} on {host or 'all addresses'} cannot be bound: {error.strerror}") from error


@contextlib.asynccontextmanager
async def listening(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    protocol: type[asyncio.Protocol] | HTTPProtocolType = "auto",
    keep_alive_seconds: int = OPERATIONS_KEEP_ALIVE_SECONDS,
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve the application inside the block. On exit, finish the requests in progress.

    Args:
        app: the application.
        host: address to listen on; empty means all, IPv4 and IPv6.
        port: port to listen on.
        protocol: class of the connections; by default uvicorn's.
        keep_alive_seconds: time after which an idle connection is closed.

    Yields:
        The server's task; it ends before the block only if the server fails.

    Raises:
        ListenError: the port cannot be bound, or the application did not start.
    """
    listener = bind(host, port)
    config = uvicorn.Config(
        app,
        http=protocol,
        # An offer to upgrade to WebSocket is declined like any other.
        ws="none",
        timeout_keep_alive=keep_alive_seconds,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await _first(server.listens.wait(), task)
        yield task
    finally:
        server.should_exit = True
        await asyncio.wait([task])
        listener.close()
    task.result()


async def _first(event: Coroutine[object, object, object], task: asyncio.Task[None]) -> None:
    """Wait for the event. If the task ends first, raise its exception."""
    waiter = asyncio.create_task(event)
    await asyncio.wait({waiter, task}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        waiter.cancel()
        task.result()
