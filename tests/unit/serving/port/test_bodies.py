"""Request bodies: size, type, encoding, deadline and capacity."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from perennate.serving.port.bodies import HELD_BYTES, MAX_BODY_BYTES, SMALL_BYTES, BodyMiddleware
from perennate.serving.port.connections import CLIENT_CLOSED, FINAL_CODE, ConnectionLimits
from perennate.serving.port.large_bodies import LargeBodies
from perennate.serving.port.pacing import Pacing
from tests.support.pods.raw_http import connect, traffic_port
from tests.support.pods.serving_pod import client

JSON_TYPE = {"content-type": "application/json"}
GZIP_TYPE = {**JSON_TYPE, "content-encoding": "gzip"}
KIB = 1024


async def length(request: Request) -> Response:
    """The length of the body, and the headers that describe it."""
    headers = {name: request.headers.get(name) for name in ("content-length", "content-encoding")}
    return JSONResponse({"length": len(await request.body()), **headers})


def guarded(*, capacity: int = HELD_BYTES, seconds: float = 30, full: list[bool] | None = None) -> BodyMiddleware:
    """An application that returns the length of a body."""
    routes = [Route("/", length, methods=["POST"]), Route("/v2/models/rain/infer", length, methods=["POST"])]
    return BodyMiddleware(
        Starlette(routes=routes),
        large=LargeBodies(),
        pacing=Pacing(),
        is_overloaded=lambda: bool(full and full[-1]),
        capacity=capacity,
        seconds=seconds,
    )


async def post(app: BodyMiddleware, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, object]]:
    """Status and document of the response."""
    async with client(app) as http:
        answer = await http.post("/", content=body, headers=headers)
    return answer.status_code, answer.json()


async def test_the_total_size_of_large_bodies_is_bounded() -> None:
    """While a large body is in memory, another gets 503; small ones, and later another large one, are accepted."""
    arrived, released = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        """A body whose second part is delayed."""
        yield b"x" * 70 * KIB
        arrived.set()
        await released.wait()
        yield b"x" * 10 * KIB

    async with client(guarded(capacity=100 * KIB)) as http:
        first = asyncio.create_task(http.post("/", content=slow(), headers=JSON_TYPE))
        await arrived.wait()
        refused = await http.post("/", content=b"x" * 70 * KIB, headers=JSON_TYPE)
        small = [await http.post("/", content=b"x" * SMALL_BYTES, headers=JSON_TYPE) for _ in range(3)]
        released.set()
        assert (await first).json()["length"] == 80 * KIB
        assert [answer.json()["length"] for answer in small] == [SMALL_BYTES] * 3
        assert refused.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert (refused.headers["connection"], refused.headers["retry-after"]) == ("close", "1")
        assert refused.json() == {"error": "too many large request bodies at once; retry later"}
        assert (await http.post("/", content=b"x" * 100 * KIB, headers=JSON_TYPE)).json()["length"] == 100 * KIB


async def test_an_overloaded_pod_refuses_before_it_reads() -> None:
    """The connection is kept after a small body, so that the client need not connect again."""
    full = [True]
    async with client(guarded(full=full)) as http:
        small, large = [await http.post("/", content=b" " * size, headers=JSON_TYPE) for size in (10, SMALL_BYTES + 1)]
        full.append(False)
        accepted = await http.post("/", content=b" " * 10, headers=JSON_TYPE)
    assert [small.status_code, large.status_code] == [HTTPStatus.SERVICE_UNAVAILABLE] * 2
    assert ("connection" in small.headers, large.headers["connection"]) == (False, "close")
    assert small.headers["retry-after"] == "1"
    assert accepted.json()["length"] == 10


async def test_a_gzip_body_arrives_without_content_encoding() -> None:
    body = json.dumps({"records": [{"a": 1.5}] * 10_000}).encode()
    status, document = await post(guarded(), gzip.compress(body), GZIP_TYPE)
    assert status == HTTPStatus.OK
    assert document == {"length": len(body), "content-length": str(len(body)), "content-encoding": None}


def bomb() -> bytes:
    """A gzip body that is a thousandth of its content."""
    return gzip.compress(b" " * 20 * MAX_BODY_BYTES)


COMPRESSED = gzip.compress(b"{}")
REFUSED = {
    "a bomb": (bomb, GZIP_TYPE, 413, f"body: must have at most {MAX_BODY_BYTES} bytes after decompression"),
    "one byte too many": (
        lambda: gzip.compress(b" " * (MAX_BODY_BYTES + 1)),
        GZIP_TYPE,
        413,
        f"body: must have at most {MAX_BODY_BYTES} bytes after decompression",
    ),
    "not compressed": (lambda: b"{}", GZIP_TYPE, 400, "gzip stream"),
    "empty": (lambda: b"", GZIP_TYPE, 400, "gzip stream"),
    "cut": (lambda: COMPRESSED[:-3], GZIP_TYPE, 400, "gzip stream"),
    "damaged": (lambda: COMPRESSED[:-5] + b"abcde", GZIP_TYPE, 400, "gzip stream"),
    "two streams": (lambda: COMPRESSED * 2, GZIP_TYPE, 400, "gzip stream"),
    "zlib": (lambda: zlib.compress(b"{}"), GZIP_TYPE, 400, "gzip stream"),
    "brotli": (
        lambda: b"{}",
        {**JSON_TYPE, "content-encoding": "br"},
        415,
        "content-encoding: must be gzip or identity",
    ),
    "twice": (lambda: b"{}", {**JSON_TYPE, "content-encoding": "gzip, gzip"}, 415, "content-encoding: must be"),
    "another type": (lambda: b"{}", {"content-type": "application/octet-stream"}, 415, "content-type: must be"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
async def test_a_body_is_refused(case: tuple[object, dict[str, str], int, str]) -> None:
    make, headers, status, reason = case
    found, document = await post(guarded(), make(), headers)  # type: ignore[operator]
    assert found == status
    assert reason in str(document["error"])


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "identity", ""])
async def test_names_of_encodings(encoding: str) -> None:
    body = gzip.compress(b"[]") if "gzip" in encoding.lower() else b"[]"
    status, document = await post(
        guarded(), body, {**JSON_TYPE, **({"content-encoding": encoding} if encoding else {})}
    )
    assert (status, document["length"]) == (HTTPStatus.OK, 2)


async def test_a_gzip_body_of_the_largest_size_is_accepted() -> None:
    status, document = await post(guarded(), gzip.compress(b" " * MAX_BODY_BYTES), GZIP_TYPE)
    assert (status, document["length"]) == (HTTPStatus.OK, MAX_BODY_BYTES)


async def test_only_inference_requests_may_be_binary() -> None:
    binary = {"content-type": "application/octet-stream", "inference-header-content-length": "2"}
    async with client(guarded()) as http:
        assert (await http.post("/v2/models/rain/infer", content=b"{}\x00", headers=binary)).json()["length"] == 3


async def test_a_body_has_a_deadline() -> None:
    """Its response is 408, and the connection is closed; clients with half a body do not affect others."""
    start = b"POST / HTTP/1.1\r\nHost: pod\r\nContent-Length: 20\r\n\r\n"
    async with traffic_port(with_lifespan(guarded(seconds=0.3)), ConnectionLimits()) as port:
        slow = [await connect(port.number) for _ in range(70)]
        for connection in slow:
            await connection.send(start + b"[1,")
        other = await connect(port.number)
        await other.send(start + b"[" + b" " * 18 + b"]")
        assert json.loads((await other.answer()).body)["length"] == 20
        for connection in slow:
            answer = await connection.answer()
            assert (answer.status, answer.headers["connection"]) == (HTTPStatus.REQUEST_TIMEOUT, "close")
            assert json.loads(answer.body) == {"error": "body: did not arrive within 0.3 s"}
            assert await connection.is_closed()
        await other.close()


async def test_a_client_that_leaves_in_the_middle_gives_back_the_memory() -> None:
    """The application is never called."""
    messages: list[Message] = [
        {"type": "http.request", "body": b"x" * 90 * KIB, "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError(f"nobody receives {message}")

    app = guarded(capacity=100 * KIB)
    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-length", b"200000")]}
    await app(scope, receive, send)
    assert await post(app, b"x" * 90 * KIB, JSON_TYPE) == (
        HTTPStatus.OK,
        {"length": 90 * KIB, "content-length": str(90 * KIB), "content-encoding": None},
    )


async def test_a_broken_chunk_is_400_and_marked_for_the_metrics() -> None:
    scopes: list[Scope] = []
    inner = guarded()

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the scope."""
        scopes.append(scope)
        await inner(scope, receive, send)

    async with traffic_port(with_lifespan(noting), ConnectionLimits()) as port:
        connection = await connect(port.number)
        await connection.send(b"POST / HTTP/1.1\r\nHost: pod\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert (await connection.answer()).status == HTTPStatus.BAD_REQUEST
        assert await connection.is_closed()
    assert [scope.get(FINAL_CODE) for scope in scopes] == [HTTPStatus.BAD_REQUEST]
    assert CLIENT_CLOSED not in port.counted


def with_lifespan(app: ASGIApp) -> ASGIApp:
    """The application, and one that handles the lifespan messages."""
    plain = Starlette()

    async def both(scope: Scope, receive: Receive, send: Send) -> None:
        """Handle the events of the lifespan; pass anything else to the application."""
        await (app if scope["type"] == "http" else plain)(scope, receive, send)

    return both
