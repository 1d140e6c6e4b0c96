"""Bodies are held within bounds, and servers listen where they should."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from perennate.serving.errors import ListenError
from perennate.serving.http.listening import bind, listening
from perennate.serving.http.middleware import BodyGuard
from tests.support.pods.serving import free_port
from tests.support.pods.serving_pod import client

JSON_TYPE = {"content-type": "application/json"}


async def length(request: Request) -> Response:
    """Tells how long the body is."""
    return PlainTextResponse(str(len(await request.body())))


async def test_all_bodies_together_are_bounded_too() -> None:
    """While one large body is held another gets 429; when the first is answered there is room again."""
    arrived, released = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        """A body that is half there."""
        yield b"x" * 700
        arrived.set()
        await released.wait()
        yield b"x" * 100

    app = BodyGuard(Starlette(routes=[Route("/", length, methods=["POST"])]), capacity=1000)
    async with client(app) as http:
        first = asyncio.create_task(http.post("/", content=slow(), headers=JSON_TYPE))
        await arrived.wait()
        refused = await http.post("/", content=b"x" * 400, headers=JSON_TYPE)
        small = await http.post("/", content=b"x" * 200, headers=JSON_TYPE)
        released.set()
        assert [(await first).text, small.text] == ["800", "200"]
        assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert refused.headers["connection"] == "close"
        assert (await http.post("/", content=b"x" * 1000, headers=JSON_TYPE)).text == "1000"


async def test_a_server_listens_on_all_addresses_and_leaves_none_behind() -> None:
    """Without a host both IPv4 and, where there is one, IPv6 are served; after the block the port is free."""
    app, port = Starlette(routes=[Route("/", length)]), free_port()
    hosts = ["127.0.0.1", "[::1]"] if socket.has_dualstack_ipv6() else ["127.0.0.1"]
    async with listening(app, host="", port=port), httpx.AsyncClient() as http:
        answers = [(await http.get(f"http://{host}:{port}/")).text for host in hosts]
    assert answers == ["0"] * len(hosts)
    bind("", port).close()


async def test_a_port_that_is_taken_is_named() -> None:
    """No traceback of the event loop: address, port and reason."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"port {port} on 127.0.0.1 cannot be used: Address already in use"):
            bind("127.0.0.1", port)


async def test_an_application_that_does_not_start_is_an_error_of_the_server() -> None:
    """Uvicorn would end the process; we say why and free the port."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        """A start that fails."""
        del app
        raise RuntimeError("no database")
        yield

    app, port = Starlette(lifespan=lifespan), free_port()
    with pytest.raises(ListenError, match="did not start"):
        async with listening(app, host="127.0.0.1", port=port):
            raise AssertionError("must not get here")
    bind("127.0.0.1", port).close()
