"""Detection of stale watches by the bytes on their connections. Real HTTP on loopback, and a simulated clock."""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp import web

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.watching import STALE_SECONDS, Watches

PATH = RESOURCES.primary["TrainingJob"].path()


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


async def test_a_watch_without_data_becomes_stale() -> None:
    """A watch without data becomes stale, even if its connection is open; bookmarks prevent that."""
    bookmark = asyncio.Event()

    async def watch(request: web.Request) -> web.StreamResponse:
        """Send a bookmark each time the event is set."""
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await bookmark.wait()
            bookmark.clear()
            await response.write(b'{"type": "BOOKMARK"}\n')

    application = web.Application()
    application.router.add_get(PATH, watch)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    clock = Clock()
    watches = Watches(RESOURCES.watched.values(), clock=clock)
    url = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
    async with (
        aiohttp.ClientSession(trace_configs=[watches.trace()]) as session,
        session.get(url, params={"watch": "true"}) as response,
    ):
        assert watches.sample() == {"TrainingJob": 0}
        clock.now = STALE_SECONDS - 1
        bookmark.set()
        await response.content.readline()
        assert watches.sample() == {"TrainingJob": 0}
        clock.now += STALE_SECONDS
        assert watches.stale() == []
        clock.now += 1
        assert watches.stale() == ["TrainingJob"]
    await runner.cleanup()


async def test_lists_and_rejected_watches_are_not_tracked() -> None:
    """Only a watch request with a successful response is tracked."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        """Accept lists and reject watches."""
        return web.json_response({}, status=500 if request.query.get("watch") else 200)

    application = web.Application()
    application.router.add_get(PATH, refuse)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    watches = Watches(RESOURCES.watched.values(), clock=Clock())
    url = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
    async with aiohttp.ClientSession(trace_configs=[watches.trace()]) as session:
        for params in ({}, {"watch": "true"}):
            async with session.get(url, params=params) as response:
                await response.read()
    assert watches.sample() == {}
    await runner.cleanup()


async def test_each_namespace_has_its_own_watch_and_a_forbidden_one_is_not_stale() -> None:
    """The name of a stale watch has the namespace. A watch that is forbidden after a reconnect is not stale."""
    resource = RESOURCES.primary["TrainingJob"]
    forbidden: set[str] = set()

    async def watch(request: web.Request) -> web.StreamResponse:
        """End the watch at once."""
        return web.Response(status=403 if request.path in forbidden else 200)

    application = web.Application()
    application.router.add_get("/{path:.*}", watch)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    clock = Clock()
    watches = Watches([resource], namespaces=("a", "b"), clock=clock)
    root = f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def open_watch(session: aiohttp.ClientSession, path: str) -> None:
        """Make a watch request and read its response."""
        async with session.get(root + path, params={"watch": "true"}) as response:
            await response.read()

    async with aiohttp.ClientSession(trace_configs=[watches.trace()]) as session:
        for path in (resource.path("a"), resource.path("b"), resource.path("c"), resource.path()):
            await open_watch(session, path)
        clock.now = STALE_SECONDS
        await open_watch(session, resource.path("b"))
        assert watches.sample() == {"TrainingJob": STALE_SECONDS}
        clock.now += 1
        assert watches.stale() == ["TrainingJob in a"]
        forbidden.add(resource.path("a"))
        await open_watch(session, resource.path("a"))
        assert watches.stale() == []
    await runner.cleanup()
