"""Listening on ports."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from perennate.serving.errors import ListenError
from perennate.serving.http.listening import bind, listening
from tests.support.ports import reserve_port


async def length(request: Request) -> Response:
    """Respond with the length of the body."""
    return PlainTextResponse(str(len(await request.body())))


async def test_a_server_listens_on_all_addresses_and_frees_the_port() -> None:
    """Without a host, it listens on IPv4 and, if available, IPv6."""
    app, port = Starlette(routes=[Route("/", length)]), reserve_port()
    hosts = ["127.0.0.1", "[::1]"] if socket.has_dualstack_ipv6() else ["127.0.0.1"]
    async with listening(app, host="", port=port), httpx.AsyncClient() as http:
        answers = [(await http.get(f"http://{host}:{port}/")).text for host in hosts]
    assert answers == ["0"] * len(hosts)
    bind("", port).close()


async def test_error_for_a_used_port_names_it() -> None:
    """The error has address, port and reason."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"port {port} on 127.0.0.1 cannot be bound: Address already in use"):
            bind("127.0.0.1", port)


async def test_failed_startup_raises_listen_error() -> None:
    """Uvicorn would exit the process instead. The port is freed."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        """Fail at startup."""
        del app
        raise RuntimeError("no database")
        yield

    app, port = Starlette(lifespan=lifespan), reserve_port()
    with pytest.raises(ListenError, match="did not start"):
        async with listening(app, host="127.0.0.1", port=port):
            raise AssertionError("must not get here")
    bind("127.0.0.1", port).close()
