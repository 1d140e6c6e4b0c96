"""Scrapes of pods, over real HTTP on loopback.

Pods are not trusted: for any response, a scrape ends within its timeout with a document or an error message.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from perennate.kube.monitoring.scrape import HttpMetricsSource, ScrapeFailure
from tests.support.pods.hostile_pods import Unlimited

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TIMEOUT = 60.0
"""Seconds; long enough that no test reaches it, even on a busy machine."""
LIMIT = 10_000


@asynccontextmanager
async def pod(handler: Handler, seconds: float = TIMEOUT) -> AsyncIterator[HttpMetricsSource]:
    """Start a pod whose /counts is served by `handler`, and yield a source that scrapes it."""
    application = web.Application()
    application.router.add_get("/counts", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield HttpMetricsSource(port=port, timeout=seconds, allowed=lambda _: True)
    await runner.cleanup()


async def scrape(handler: Handler, *, seconds: float = TIMEOUT) -> bytes | ScrapeFailure:
    """Scrape a pod whose /counts is served by `handler`."""
    async with pod(handler, seconds) as source:
        return await source.read("127.0.0.1", "/counts", limit=LIMIT, allowance=Unlimited())


async def test_a_document_is_returned_unchanged() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        """Return a JSON document."""
        assert request.headers["Accept-Encoding"] == "identity"
        return web.json_response({"rows": 1})

    assert await scrape(answer) == b'{"rows": 1}'


async def silent(_: web.Request) -> web.StreamResponse:
    """Never respond."""
    await asyncio.Event().wait()
    raise AssertionError


async def endless(request: web.Request) -> web.StreamResponse:
    """Send one byte at a time without end: a read timeout would never expire."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


async def huge(request: web.Request) -> web.StreamResponse:
    """Send data as fast as possible, without end."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" " * 4096)


async def bomb(_: web.Request) -> web.StreamResponse:
    """Send a compressed body that is small on the wire and large once decompressed."""
    body = gzip.compress(b" " * 10_000_000)
    return web.Response(body=body, content_type="application/json", headers={"Content-Encoding": "gzip"})


async def elsewhere(_: web.Request) -> web.StreamResponse:
    """Redirect to an address that the operator must never request."""
    raise web.HTTPFound("http://169.254.169.254/latest/meta-data")


async def truncated(request: web.Request) -> web.StreamResponse:
    """Send less than Content-Length announces."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"rows":')
    assert request.transport is not None
    request.transport.close()
    return response


async def markup(_: web.Request) -> web.StreamResponse:
    """Return an HTML page."""
    return web.Response(text="<html>", content_type="text/html")


async def broken(_: web.Request) -> web.StreamResponse:
    """Return a server error."""
    return web.json_response({"rows": 1}, status=500)


HOSTILE: dict[str, tuple[Handler, str]] = {
    "huge": (huge, "is larger than 10000 bytes"),
    "compressed": (bomb, "is compressed although identity encoding was requested"),
    "a redirect": (elsewhere, "returned status 302; expected 200"),
    "truncated": (truncated, "ended before its end"),
    "of the wrong type": (markup, "is text/html; expected application/json"),
    "an error": (broken, "returned status 500; expected 200"),
}


@pytest.mark.parametrize("case", HOSTILE)
async def test_an_invalid_response_becomes_an_error_message(case: str) -> None:
    handler, sentence = HOSTILE[case]
    answer = await scrape(handler)
    assert isinstance(answer, ScrapeFailure)
    assert sentence in answer.message


@pytest.mark.parametrize("handler", [silent, endless])
async def test_a_response_that_does_not_end_fails_at_the_deadline(handler: Handler) -> None:
    """The timeout covers the whole response, whether no byte arrives or bytes arrive without end."""
    answer = await scrape(handler, seconds=0.5)
    assert isinstance(answer, ScrapeFailure)
    assert "did not respond within 0.5 s" in answer.message


async def test_a_refused_connection_becomes_a_failure() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        """Return a JSON document."""
        return web.json_response({})

    async with pod(answer) as source:
        lost = HttpMetricsSource(port=1, timeout=TIMEOUT, allowed=lambda _: True)
        assert isinstance(await lost.read("127.0.0.1", "/counts", limit=LIMIT, allowance=Unlimited()), ScrapeFailure)
        assert await source.read("127.0.0.1", "/counts", limit=LIMIT, allowance=Unlimited()) == b"{}"
