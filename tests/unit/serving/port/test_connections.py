"""Connections of the traffic port, over real sockets."""

from __future__ import annotations

import asyncio
import itertools
import json
import resource
from http import HTTPStatus

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from perennate.serving.port.connections import (
    CLIENT_CLOSED,
    FINAL_CODE,
    RESERVED_DESCRIPTORS,
    ConnectionLimits,
    raise_descriptor_limit,
    without_offer,
)
from tests.support.pods.raw_http import DEADLINE_SECONDS, connect, echo_app, traffic_port

BODY = b'{"records": [1, 2]}'
HTTP2_OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"
"""What Java's HttpClient and `curl --http2` send."""
WEBSOCKET_OFFER = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
OFFERS = {
    "HTTP/2": HTTP2_OFFER,
    "two connection headers": b"Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n",
    "other case": b"cOnNeCtIoN: uPGrADE\r\nUPGRADE: H2C\r\n",
    "several protocols": b"Connection: upgrade\r\nUpgrade: h2c, websocket, TLS/1.0\r\n",
    "WebSocket": WEBSOCKET_OFFER,
    "without the option": b"Upgrade: h2c\r\n",
    "without a protocol": b"Connection: upgrade\r\n",
    "none": b"",
}
LENGTH = b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n5\r\n%s\r\ne;x=1\r\n%s\r\n0\r\nTrailer: 1\r\n\r\n" % (BODY[:5], BODY[5:])
START = b"POST / HTTP/1.1\r\nHost: pod\r\n"


def split(data: bytes, size: int) -> list[bytes]:
    """The data in pieces."""
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [10_000, 7, 1])
async def test_an_offer_to_upgrade_is_declined_and_the_body_is_read(size: int) -> None:
    """However the bytes arrive. The connection stays open for the next request."""
    async with traffic_port(echo_app(), ConnectionLimits()) as port:
        client = await connect(port.number)
        for offer, body in itertools.product(OFFERS.values(), (LENGTH, CHUNKS)):
            for piece in split(START + offer + body, size):
                await client.send(piece)
                await asyncio.sleep(0)
            answer = await client.answer()
            assert (answer.status, json.loads(answer.body)["body"]) == (HTTPStatus.OK, BODY.decode()), offer
        await client.close()
    assert port.counted == []


async def test_pipelined_requests_with_offers_are_answered_in_order() -> None:
    """Three requests in one packet, of which the second offers nothing."""
    async with traffic_port(echo_app(), ConnectionLimits()) as port:
        client = await connect(port.number)
        requests = [
            b"POST / HTTP/1.1\r\nHost: pod\r\n%sContent-Length: 1\r\n\r\n%d" % (lines, number)
            for number, lines in enumerate([HTTP2_OFFER, b"", HTTP2_OFFER])
        ]
        await client.send(b"".join(requests))
        assert [json.loads((await client.answer()).body)["body"] for _ in requests] == ["0", "1", "2"]
        await client.close()


async def test_a_declined_request_keeps_its_other_headers() -> None:
    """Also `Connection: close`; the application sees no offer."""
    async with traffic_port(echo_app(), ConnectionLimits()) as port:
        client = await connect(port.number)
        await client.send(START + b"X-A: 1\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\nX-B: 2\r\n" + LENGTH)
        answer = await client.answer()
        headers = json.loads(answer.body)["headers"]
        assert (headers["x-a"], headers["x-b"], headers["connection"]) == ("1", "2", "close")
        assert "upgrade" not in headers
        assert answer.headers["connection"] == "close"
        assert await client.is_closed()


def test_an_offer_is_removed_from_the_options_of_a_connection() -> None:
    headers = [(b"connection", b"keep-alive, Upgrade , HTTP2-Settings"), (b"upgrade", b"h2c"), (b"a", b"b")]
    assert without_offer(headers) == [(b"connection", b"keep-alive"), (b"a", b"b")]


@pytest.mark.parametrize(
    ("data", "status"),
    {
        "a proxy request": (b"CONNECT host:443 HTTP/1.1\r\nHost: host\r\n\r\n", 405),
        "HTTP/2 without an offer": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        "two lengths": (START + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        "length and chunks": (START + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        "an offer and two lengths": (
            START + WEBSOCKET_OFFER + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            400,
        ),
    }.values(),
    ids=lambda value: str(value)[:40],
)
async def test_what_is_not_http_gets_a_json_error_and_is_counted(data: bytes, status: int) -> None:
    async with traffic_port(echo_app(), ConnectionLimits()) as port:
        client = await connect(port.number)
        await client.send(data)
        answer = await client.answer()
        assert answer.status == status
        assert set(json.loads(answer.body)) == {"error"}
        assert await client.is_closed()
    assert port.counted == [status]


@pytest.mark.parametrize("sent", [b"P", START, START[:-2], b"\r\nPOST / HT"])
async def test_headers_have_a_deadline(sent: bytes) -> None:
    """The response is 408, and the connection is closed; another connection is not affected."""
    async with traffic_port(echo_app(), ConnectionLimits(header_seconds=0.1)) as port:
        client, other = await connect(port.number), await connect(port.number)
        await client.send(sent)
        answer = await client.answer()
        assert (answer.status, answer.headers["connection"]) == (HTTPStatus.REQUEST_TIMEOUT, "close")
        assert json.loads(answer.body) == {"error": "the headers did not arrive within 0.1 s"}
        assert await client.is_closed()
        await other.send(START + LENGTH)
        assert (await other.answer()).status == HTTPStatus.OK
        await other.close()
    assert port.counted == [HTTPStatus.REQUEST_TIMEOUT]


async def test_an_idle_connection_is_closed_after_the_keep_alive_time() -> None:
    """Before its first request and after one, and without a response."""
    async with traffic_port(echo_app(), ConnectionLimits(keep_alive_seconds=1, header_seconds=0.05)) as port:
        fresh, used = await connect(port.number), await connect(port.number)
        await used.send(START + LENGTH)
        assert (await used.answer()).status == HTTPStatus.OK
        assert await fresh.is_closed()
        assert await used.is_closed()
    assert port.counted == []


async def test_late_headers_do_not_break_the_response_before_them() -> None:
    """The first of two pipelined requests is still answered, then the connection is closed."""
    released = asyncio.Event()

    async def slow(request: Request) -> Response:
        """Respond when the test says so."""
        await request.body()
        await released.wait()
        return PlainTextResponse("late")

    async with traffic_port(echo_app(slow=slow), ConnectionLimits(header_seconds=0.05)) as port:
        client = await connect(port.number)
        await client.send(b"POST /slow HTTP/1.1\r\nHost: pod\r\nContent-Length: 1\r\n\r\nxPOST / HT")
        await asyncio.sleep(0.2)
        released.set()
        answer = await client.answer()
        assert (answer.body, answer.headers["connection"]) == (b"late", "close")
        assert await client.is_closed()


async def test_connections_above_the_maximum_get_503_while_the_others_are_answered() -> None:
    """A connection that ends makes room for another."""
    released = asyncio.Event()

    async def slow(_: Request) -> Response:
        """Respond when told to."""
        await released.wait()
        return Response(b"late")

    async with traffic_port(echo_app(slow=slow), ConnectionLimits(max_connections=2)) as port:
        first, second, third = [await connect(port.number) for _ in range(3)]
        for client in (second, third):
            await client.send(b"POST /slow HTTP/1.1\r\nHost: pod\r\nContent-Length: 1\r\n\r\nx")
        assert await first.is_closed(), "it waited for its client"
        await asyncio.sleep(0.05)
        fourth = await connect(port.number)
        await fourth.send(START + LENGTH)
        refused = await fourth.answer()
        assert (refused.status, refused.headers["retry-after"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "1")
        assert json.loads(refused.body) == {"error": "too many connections; retry later"}
        assert await fourth.is_closed()
        released.set()
        for client in (second, third):
            assert (await client.answer()).body == b"late"
        fifth = await connect(port.number)
        await fifth.send(START + LENGTH)
        assert (await fifth.answer()).status == HTTPStatus.OK
        assert await second.is_closed(), "it waited longest for the next request"
        for client in (third, fifth):
            await client.close()
    assert port.counted == [HTTPStatus.SERVICE_UNAVAILABLE]


PIPELINED = b"GET / HTTP/1.1\r\nHost: pod\r\n\r\n"


@pytest.mark.parametrize(
    ("half", "counted"),
    [
        (b"", 0),
        (b"GET / HTTP/1.1\r\nx: ", 8),
        (START + b"Content-Length: 60\r\n\r\n{", 0),
        (START + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", 0),
        (PIPELINED + START + b"Content-Length: 60\r\n\r\n{", 0),
        (PIPELINED + b"GET / HT", 8),
    ],
    ids=["nothing", "headers", "a body", "chunks", "a body behind a request", "headers behind a request"],
)
async def test_connections_that_send_half_a_request_give_way_to_new_ones(half: bytes, counted: int) -> None:
    """Twelve may be open. Twenty send half a request and wait: each new client is answered at once all the same."""
    async with traffic_port(echo_app(), ConnectionLimits(max_connections=12)) as port:
        slow = []
        for _ in range(12):
            slow.append(await connect(port.number))
            await slow[-1].send(half)
        await asyncio.sleep(0.1)
        for _ in range(8):
            honest = await connect(port.number)
            await honest.send(START + LENGTH)
            assert (await honest.answer()).status == HTTPStatus.OK
            await honest.close()
            slow.append(await connect(port.number))
            await slow[-1].send(half)
            await asyncio.sleep(0.02)
        for client in slow:
            await client.close()
    assert set(port.counted) <= {HTTPStatus.SERVICE_UNAVAILABLE}
    assert (len(port.counted) > 0) == (counted > 0)


async def test_a_flood_of_silent_connections_holds_few_descriptors() -> None:
    """The newest stay; the others are closed at once."""
    async with traffic_port(echo_app(), ConnectionLimits(max_connections=12)) as port:
        clients = [await connect(port.number) for _ in range(40)]
        assert all([await client.is_closed() for client in clients[:28]])
        for client in clients[28:]:
            await client.send(START + LENGTH)
            assert (await client.answer()).status == HTTPStatus.OK
            await client.close()
    assert port.counted == []


async def test_a_flood_of_connections_beside_busy_ones_holds_few_descriptors() -> None:
    """Some may wait for their refusal; the others are closed at once."""
    released = asyncio.Event()

    async def slow(_: Request) -> Response:
        """Respond when told to."""
        await released.wait()
        return Response(b"late")

    limits = ConnectionLimits(max_connections=12)
    async with traffic_port(echo_app(slow=slow), limits) as port:
        busy = [await connect(port.number) for _ in range(12)]
        for client in busy:
            await client.send(b"POST /slow HTTP/1.1\r\nHost: pod\r\nContent-Length: 1\r\n\r\nx")
        await asyncio.sleep(0.1)
        clients = [await connect(port.number) for _ in range(28)]
        waiting, dropped = clients[:3], clients[3:]
        assert limits.max_refusals == len(waiting)
        assert all([await client.is_closed() for client in dropped])
        assert all([await client.is_closed() for client in waiting])
        assert port.counted == [HTTPStatus.SERVICE_UNAVAILABLE] * 28
        released.set()
        for client in busy:
            assert (await client.answer()).body == b"late"
            await client.close()


async def test_a_request_whose_client_leaves_is_marked() -> None:
    """In the middle of the body or of the work, at once, so that it is not counted as an error of the server."""
    ended: asyncio.Future[Scope] = asyncio.get_running_loop().create_future()
    inner = echo_app()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """Read until the client has left."""
        if scope["type"] != "http":
            await inner(scope, receive, send)
            return
        while (await receive())["type"] != "http.disconnect":
            pass
        ended.set_result(scope)

    async with traffic_port(app, ConnectionLimits()) as port:
        client = await connect(port.number)
        await client.send(START + b"Content-Length: 60\r\n\r\n{")
        await client.close()
        scope = await asyncio.wait_for(ended, DEADLINE_SECONDS)
    assert scope[FINAL_CODE] == CLIENT_CLOSED


def test_the_descriptor_limit_leaves_a_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"soft": 0, "hard": 0}
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limits["soft"], limits["hard"]))
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.update(soft=pair[0]))
    cases = {(1024, 4096): (1000, 1000 + RESERVED_DESCRIPTORS), (1024, 1024): (832, 1024), (256, 256): (128, 256)}
    for (soft, hard), (allowed, raised) in cases.items():
        limits.update(soft=soft, hard=hard)
        assert (raise_descriptor_limit(1000), limits["soft"]) == (allowed, raised)
    limits.update(soft=resource.RLIM_INFINITY, hard=resource.RLIM_INFINITY)
    assert raise_descriptor_limit(1000) == 1000
