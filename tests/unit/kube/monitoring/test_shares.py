"""Fair shares: who gets how much, in which order. Counts, no times."""

from __future__ import annotations

import asyncio

import pytest

from perennate.kube.monitoring.shares import FairShares


class Tenants:
    """Requests of tenants. Each holds what it got until it is released."""

    def __init__(self, total: int) -> None:
        self.shares = FairShares(total)
        self.granted: list[str] = []
        self._held: list[tuple[str, asyncio.Event, asyncio.Task[None]]] = []

    async def ask(self, tenant: str, amount: int = 1, *, times: int = 1) -> None:
        """Ask some times, without waiting for an answer."""
        for _ in range(times):
            done = asyncio.Event()
            self._held.append((tenant, done, asyncio.create_task(self._hold(tenant, amount, done))))
        await settled()

    async def release(self, tenant: str) -> None:
        """Release the first request of a tenant that was granted."""
        position = next(index for index, held in enumerate(self._held) if held[0] == tenant)
        _, done, task = self._held.pop(position)
        done.set()
        await task
        await settled()

    async def cancel(self, tenant: str) -> None:
        """Cancel the last request of a tenant."""
        position = max(index for index, held in enumerate(self._held) if held[0] == tenant)
        _, _, task = self._held.pop(position)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await settled()

    async def end(self) -> None:
        """Release everything."""
        for _, done, _ in self._held:
            done.set()
        await asyncio.gather(*(task for _, _, task in self._held))
        assert self.shares.free == self.shares.total

    async def _hold(self, tenant: str, amount: int, done: asyncio.Event) -> None:
        async with self.shares.take(tenant, amount):
            self.granted.append(tenant)
            await done.wait()


async def settled() -> None:
    """Let all tasks run."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_single_tenant_gets_half() -> None:
    """The other half is for tenants that come later."""
    tenants = Tenants(64)
    await tenants.ask("a", times=100)
    assert tenants.shares.held_by("a") == 32
    await tenants.end()


@pytest.mark.parametrize("greedy", [1, 3, 20, 31])
async def test_a_new_tenant_need_not_wait_for_greedy_ones(greedy: int) -> None:
    """However many requests the others have, and however long they hold what they got."""
    tenants = Tenants(64)
    for number in range(greedy):
        await tenants.ask(f"greedy {number}", times=100)
    await tenants.ask("new")
    assert tenants.granted[-1] == "new"
    assert tenants.shares.held_by("greedy 0") <= 32
    await tenants.end()


async def test_tenants_take_turns() -> None:
    """A tenant with many requests is served as often as one with few."""
    tenants = Tenants(1)
    await tenants.ask("first")
    await tenants.ask("a", times=4)
    await tenants.ask("b", times=2)
    for tenant in ("first", "a", "b", "a", "b"):
        await tenants.release(tenant)
    assert tenants.granted == ["first", "a", "b", "a", "b", "a"]
    await tenants.end()


async def test_those_that_hold_the_least_come_first() -> None:
    """Not those that have waited longest."""
    tenants = Tenants(4)
    await tenants.ask("a", 2)
    await tenants.ask("b", 1)
    await tenants.ask("c", 1)
    await tenants.ask("a", times=2)
    await tenants.ask("b", times=2)
    await tenants.ask("new")
    await tenants.release("c")
    assert tenants.granted == ["a", "b", "c", "new"]
    await tenants.release("a")
    await tenants.release("b")
    assert tenants.granted[4:] == ["a", "b"]
    await tenants.end()


async def test_a_share_grows_before_other_requests_of_its_tenant() -> None:
    """And only while half of the total stays free."""
    shares = FairShares(10)
    async with shares.take("a", 1) as share:
        waiting = [asyncio.create_task(shares.take("a", 6).__aenter__()) for _ in range(2)]
        await settled()
        await share.grow_to(5)
        assert (share.amount, shares.free) == (5, 5)
        growing = asyncio.create_task(share.grow_to(6))
        await settled()
        assert not growing.done()
        async with shares.take("b", 5):
            assert shares.free == 0
        for task in (growing, *waiting):
            task.cancel()
        await asyncio.gather(growing, *waiting, return_exceptions=True)
        assert (share.amount, shares.free) == (5, 5)
    assert shares.free == 10


async def test_a_request_that_is_cancelled_frees_its_place() -> None:
    """Before it was granted, and after."""
    tenants = Tenants(1)
    await tenants.ask("a")
    await tenants.ask("b")
    await tenants.ask("c")
    await tenants.cancel("b")
    await tenants.cancel("a")
    assert tenants.granted == ["a", "c"]
    await tenants.end()


async def test_requests_that_are_cancelled_together_are_not_granted() -> None:
    """A cancelled request is still in the queue when its tenant is served next."""
    tenants = Tenants(1)
    await tenants.ask("a", times=4)
    _, done, _ = tenants._held[0]
    for _, _, task in tenants._held[1:3]:
        task.cancel()
    done.set()
    await settled()
    assert tenants.granted == ["a", "a"]
    del tenants._held[1:3]
    await tenants.end()


async def test_a_request_that_is_granted_and_cancelled_at_once_holds_nothing() -> None:
    tenants = Tenants(1)
    await tenants.ask("a")
    waiting = asyncio.create_task(tenants._hold("b", 1, asyncio.Event()))
    await settled()
    tenants._held[0][1].set()
    await tenants._held[0][2]
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    tenants._held.clear()
    await tenants.end()
