"""Leader election under a clock that jumps: at most one leads, and a loss is noticed in time."""

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
    """An elector on the jumping clock."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return Elector(
        client,
        namespace="system",
        identity=identity,
        clock=fake_time.now,
        now=lambda: start + timedelta(seconds=fake_time.now()),
    )


def holder(client: MemoryClient) -> str:
    """Who leads."""
    return str(client.objects[KEY]["spec"]["holderIdentity"])


def test_the_first_one_leads_at_once() -> None:
    async def story() -> tuple[str, float]:
        client = MemoryClient()
        await make_elector(client).acquire()
        return holder(client), fake_time.now()

    assert fake_time.run(story()) == ("a", 0)


def test_a_second_one_waits_as_long_as_the_first_renews() -> None:
    """Minutes of contention: only one acquires."""

    async def story() -> tuple[bool, str]:
        client = MemoryClient()
        first, second = make_elector(client), make_elector(client, "b")
        await first.acquire()
        holding, waiting = asyncio.create_task(first.hold()), asyncio.create_task(second.acquire())
        await asyncio.sleep(300)
        answer = waiting.done() or holding.done(), holder(client)
        for task in (holding, waiting):
            task.cancel()
        return answer

    assert fake_time.run(story()) == (False, "a")


def test_a_standby_takes_over_when_the_leader_died() -> None:
    """Not before the Lease has expired by the standby's own clock, and soon after."""

    async def story() -> float:
        client = MemoryClient()
        await make_elector(client).acquire()
        await make_elector(client, "b").acquire()
        assert holder(client) == "b"
        return fake_time.now()

    assert TIMING.duration <= fake_time.run(story()) <= TIMING.duration + 2 * TIMING.retry


def test_a_released_lease_is_taken_at_the_next_try() -> None:
    """A clean exit costs the standby no lease duration."""

    async def story() -> float:
        client = MemoryClient()
        first = make_elector(client)
        await first.acquire()
        await first.release()
        await make_elector(client, "b").acquire()
        return fake_time.now()

    assert fake_time.run(story()) <= 2 * TIMING.retry


def test_who_cannot_renew_has_lost_before_another_may_lead() -> None:
    """The API server is away for the leader alone: it stops leading while the Lease still holds."""

    async def story() -> float:
        client = MemoryClient()
        elector = make_elector(client)
        await elector.acquire()

        def away(call: Call) -> None:
            """The API server is away for a while."""
            raise ApiError(f"no answer: {call}")

        client.fault = away
        await elector.hold()
        return fake_time.now()

    assert fake_time.run(story()) == pytest.approx(TIMING.renew_deadline, abs=TIMING.retry)
    assert TIMING.renew_deadline < TIMING.duration


def test_a_call_that_hangs_does_not_keep_the_lease() -> None:
    """The deadline counts from the last success, whatever a call is waiting for."""

    class Hanging(MemoryClient):
        """Never answers a renewal."""

        async def replace(self, manifest: dict[str, object]) -> dict[str, object]:
            """Hang."""
            await asyncio.sleep(10_000)
            return manifest

    async def story() -> float:
        elector = make_elector(Hanging())
        await elector.acquire()
        await elector.hold()
        return fake_time.now()

    assert fake_time.run(story()) == pytest.approx(TIMING.renew_deadline, abs=TIMING.retry)


def test_a_short_absence_of_the_api_server_costs_nothing() -> None:
    """Renewals that fail for less than the deadline are made up for."""

    async def story() -> bool:
        client = MemoryClient()
        elector = make_elector(client)
        await elector.acquire()

        def away(call: Call) -> None:
            """The API server is away for a while."""
            if 10 < fake_time.now() < 15:
                raise ApiError(f"no answer: {call}")

        client.fault = away
        holding = asyncio.create_task(elector.hold())
        await asyncio.sleep(100)
        lost = holding.done()
        holding.cancel()
        return lost

    assert not fake_time.run(story())


def test_a_stolen_lease_is_noticed_at_the_next_renewal() -> None:
    """Whoever wrote it: who is not the holder does not lead."""

    async def story() -> float:
        client = MemoryClient()
        elector = make_elector(client)
        await elector.acquire()
        lease = client.objects[KEY]
        client.store({**lease, "spec": {**lease["spec"], "holderIdentity": "thief"}})
        await elector.hold()
        return fake_time.now()

    assert fake_time.run(story()) <= 3 * TIMING.retry
