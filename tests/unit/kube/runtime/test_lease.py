"""Leader election under a simulated clock: at most one leader, and a lost Lease is detected in time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.lease import LEASE_NAME, Elector, Timing
from perennate.kube.runtime.resources import Key
from tests.support.world import fake_time
from tests.support.world.memory_client import Call, MemoryClient

KEY = Key("Lease", "system", LEASE_NAME)
TIMING = Timing()


def make_elector(client: MemoryClient, identity: str = "a") -> Elector:
    """An elector on the simulated clock."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return Elector(
        client,
        namespace="system",
        identity=identity,
        clock=fake_time.now,
        now=lambda: start + timedelta(seconds=fake_time.now()),
    )


def holder(client: MemoryClient) -> str:
    """The identity of the holder."""
    return str(client.objects[KEY]["spec"]["holderIdentity"])


def test_the_first_elector_leads_immediately() -> None:
    async def scenario() -> tuple[str, float]:
        client = MemoryClient()
        await make_elector(client).acquire()
        return holder(client), fake_time.now()

    assert fake_time.run(scenario()) == ("a", 0)


def test_a_second_elector_waits_while_the_first_renews() -> None:
    """While the leader renews the Lease, a second elector does not acquire it."""

    async def scenario() -> tuple[bool, str]:
        client = MemoryClient()
        first, second = make_elector(client), make_elector(client, "b")
        await first.acquire()
        holding, waiting = asyncio.create_task(first.hold()), asyncio.create_task(second.acquire())
        await asyncio.sleep(300)
        answer = waiting.done() or holding.done(), holder(client)
        for task in (holding, waiting):
            task.cancel()
        return answer

    assert fake_time.run(scenario()) == (False, "a")


def test_a_standby_takes_over_when_the_lease_expires() -> None:
    """A standby takes over after the Lease has expired by its own clock, and not earlier."""

    async def scenario() -> float:
        client = MemoryClient()
        await make_elector(client).acquire()
        await make_elector(client, "b").acquire()
        assert holder(client) == "b"
        return fake_time.now()

    assert TIMING.duration <= fake_time.run(scenario()) <= TIMING.duration + 2 * TIMING.retry


def test_a_released_lease_is_acquired_at_the_next_try() -> None:
    """After a clean exit, a standby does not wait for the Lease to expire."""

    async def scenario() -> float:
        client = MemoryClient()
        first = make_elector(client)
        await first.acquire()
        await first.release()
        await make_elector(client, "b").acquire()
        return fake_time.now()

    assert fake_time.run(scenario()) <= 2 * TIMING.retry


def test_a_leader_that_cannot_renew_stops_before_its_lease_expires() -> None:
    """Another elector can acquire an expired Lease, so a later stop would allow two leaders at the same time."""

    async def scenario() -> float:
        client = MemoryClient()
        elector = make_elector(client)
        await elector.acquire()

        def away(call: Call) -> None:
            """Fail every request."""
            raise ApiError(f"no answer: {call}")

        client.fault = away
        await elector.hold()
        return fake_time.now()

    assert fake_time.run(scenario()) == pytest.approx(TIMING.renew_deadline, abs=TIMING.retry)
    assert TIMING.renew_deadline < TIMING.duration


def test_a_hanging_request_does_not_extend_the_lease() -> None:
    """The renew deadline starts at the last successful renewal, even while a request hangs."""

    class Hanging(MemoryClient):
        """A client whose renewals never return."""

        async def replace(self, manifest: dict[str, object]) -> dict[str, object]:
            """Wait for longer than the test runs."""
            await asyncio.sleep(10_000)
            return manifest

    async def scenario() -> float:
        elector = make_elector(Hanging())
        await elector.acquire()
        await elector.hold()
        return fake_time.now()

    assert fake_time.run(scenario()) == pytest.approx(TIMING.renew_deadline, abs=TIMING.retry)


def test_a_short_outage_of_the_api_server_does_not_lose_the_lease() -> None:
    """If renewals fail for less than the renew deadline, the leader keeps the Lease."""

    async def scenario() -> bool:
        client = MemoryClient()
        elector = make_elector(client)
        await elector.acquire()

        def away(call: Call) -> None:
            """Fail every request for five seconds."""
            if 10 < fake_time.now() < 15:
                raise ApiError(f"no answer: {call}")

        client.fault = away
        holding = asyncio.create_task(elector.hold())
        await asyncio.sleep(100)
        lost = holding.done()
        holding.cancel()
        return lost

    assert not fake_time.run(scenario())


def test_a_lease_with_another_holder_is_detected_at_the_next_renewal() -> None:
    """A leader that is no longer the holder of the Lease stops."""

    async def scenario() -> float:
        client = MemoryClient()
        elector = make_elector(client)
        await elector.acquire()
        lease = client.objects[KEY]
        client.store({**lease, "spec": {**lease["spec"], "holderIdentity": "thief"}})
        await elector.hold()
        return fake_time.now()

    assert fake_time.run(scenario()) <= 3 * TIMING.retry
