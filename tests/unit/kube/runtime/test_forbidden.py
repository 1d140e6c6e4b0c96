"""Forbidden watches are repeated until they are allowed. Real HTTP on loopback, without waiting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.resources import JOB
from perennate.kube.runtime.watching import LONGEST_SECONDS, ForbiddenWatches, how_to_allow

PATH = JOB.path("team-a")


class Server:
    """Answers 403 to the first `refusals` requests, then 200. `pauses` are the waits between the attempts."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.requests = 0
        self.pauses: list[float] = []

    async def answer(self, _: web.Request) -> web.Response:
        """Answer one request."""
        self.requests += 1
        refused = self.requests <= self.refusals
        return web.json_response({"message": "no role" if refused else "ok"}, status=403 if refused else 200)

    async def sleep(self, seconds: float) -> None:
        """Record a wait."""
        self.pauses.append(seconds)


@asynccontextmanager
async def session_with(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    """A session whose watches of `team-a` are held back while they are forbidden."""
    application = web.Application()
    application.router.add_get("/{path:.*}", server.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    watches = ForbiddenWatches(RESOURCES.watched.values(), ("team-a",), sleep=server.sleep)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}", middlewares=[watches]) as session:
        yield session
    await runner.cleanup()


async def test_a_forbidden_watch_is_repeated_with_a_back_off_until_it_is_allowed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The caller sees only the successful response. The log names once what to grant, and the end."""
    caplog.set_level("INFO")
    server = Server(refusals=8)
    async with session_with(server) as session, session.get(PATH, params={"watch": "true"}) as response:
        assert (response.status, await response.json()) == (200, {"message": "ok"})
    assert server.pauses == [1, 2, 4, 8, 16, LONGEST_SECONDS, LONGEST_SECONDS, LONGEST_SECONDS]
    assert caplog.text.count("is forbidden; allow") == 1
    assert "list and watch jobs in namespace team-a" in caplog.text
    assert f"GET {PATH} is allowed again" in caplog.text


@pytest.mark.parametrize("path", [JOB.path("team-b"), JOB.path(), f"{PATH}/run", "/apis"])
async def test_other_forbidden_calls_are_returned(path: str) -> None:
    """Only the watched collections are repeated."""
    server = Server(refusals=1)
    async with session_with(server) as session, session.get(path) as response:
        assert response.status == 403
    assert server.requests == 1


async def test_other_errors_are_returned() -> None:
    """The library has its own handling of them."""

    async def fail(_: web.Request) -> web.Response:
        return web.Response(status=500)

    server = Server(refusals=0)
    server.answer = fail  # type: ignore[method-assign]
    async with session_with(server) as session, session.get(PATH) as response:
        assert response.status == 500


def test_the_advice_distinguishes_a_missing_right_from_a_quota() -> None:
    """Both are 403, but only one of them is solved by a role."""
    right = 'jobs.batch is forbidden: User "o" cannot create resource "jobs" in API group "batch" in the namespace "ns"'
    quota = 'jobs.batch "run" is forbidden: exceeded quota: count, requested: count/jobs.batch=1'
    assert how_to_allow(ApiError(right, code=403), "ns").startswith("grant this to the operator's service account")
    assert how_to_allow(ApiError(quota, code=403), "ns").startswith("a quota or a policy forbids this")
