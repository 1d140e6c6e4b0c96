"""Limits of all scrapes together, divided fairly between namespaces, so that none can keep them from the others."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeAlias
from weakref import WeakValueDictionary

from perennate.drift.profile.profile import Profile
from perennate.kube.monitoring.window_memory import DEFAULT_BYTES, WindowMemory

VISITS: Final = 128
"""Maximum number of visits at the same time."""
LARGE_BYTES: Final = 256 * 2**10
"""A profile of more bytes is large: it takes longer than 30 ms to read."""
LARGE_FEATURES: Final = 200
"""A profile of more features is large."""
DOCUMENT_BYTES: Final = 32 * 2**20
"""Maximum bytes of documents that are being received or parsed at the same time."""
_Waiter: TypeAlias = tuple[int, asyncio.Future[None]]


class FairShares:
    """Divides `total` units between tenants.

    A tenant that holds nothing can have any unit that is free. A tenant that holds some gets more only while half of
    the total stays free. So a tenant need not wait for greedy ones, unless there are very many. Of those that wait, the
    tenant that holds the least comes first, then the one whose turn was longest ago. Within a tenant, the first to ask
    is served first.
    """

    def __init__(self, total: int) -> None:
        self.total: Final = total
        self.free = total
        self._held: defaultdict[str, int] = defaultdict(int)
        self._waiting: OrderedDict[str, deque[_Waiter]] = OrderedDict()

    def held_by(self, tenant: str) -> int:
        """Units that a tenant holds."""
        return self._held.get(tenant, 0)

    @asynccontextmanager
    async def take(self, tenant: str, amount: int = 1) -> AsyncIterator[Share]:
        """Wait for `amount` units, and hold them inside the `async with` block."""
        share = Share(self, tenant)
        await share.grow_to(amount)
        try:
            yield share
        finally:
            self.release(tenant, share.amount)

    async def wait(self, tenant: str, amount: int, *, first: bool = False) -> None:
        """Wait for units, before the other requests of the tenant if `first`. The caller must release them."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._waiting.setdefault(tenant, deque())
        (queue.appendleft if first else queue.append)((amount, granted))
        self._grant()
        try:
            await granted
        except asyncio.CancelledError:
            if not granted.cancelled():
                self.release(tenant, amount)
            self._grant()
            raise

    def release(self, tenant: str, amount: int) -> None:
        """Give back units."""
        self.free += amount
        self._held[tenant] -= amount
        if not self._held[tenant]:
            del self._held[tenant]
        self._grant()

    def _grant(self) -> None:
        """Serve requests until none fits."""
        self._drop_cancelled()
        while (tenant := next(filter(self._fits, sorted(self._waiting, key=self.held_by)), None)) is not None:
            amount, granted = self._waiting[tenant].popleft()
            if self._waiting[tenant]:
                self._waiting.move_to_end(tenant)
            else:
                del self._waiting[tenant]
            self.free -= amount
            self._held[tenant] += amount
            granted.set_result(None)
            self._drop_cancelled()

    def _drop_cancelled(self) -> None:
        """Drop requests that were cancelled from the heads of the queues."""
        for tenant, queue in list(self._waiting.items()):
            while queue and queue[0][1].cancelled():
                queue.popleft()
            if not queue:
                del self._waiting[tenant]

    def _fits(self, tenant: str) -> bool:
        """Whether the next request of a tenant can be served."""
        amount, _ = self._waiting[tenant][0]
        kept = self.total // 2 if self.held_by(tenant) else 0
        return amount <= self.free - kept


class Share:
    """What a task holds of a tenant's units.

    Args:
        shares: where the units come from.
        tenant: who holds them.
    """

    def __init__(self, shares: FairShares, tenant: str) -> None:
        self._shares = shares
        self._tenant = tenant
        self.amount = 0

    async def grow_to(self, amount: int) -> None:
        """Wait until the task holds so many units."""
        if amount > self.amount:
            await self._shares.wait(self._tenant, amount - self.amount, first=self.amount > 0)
            self.amount = amount


class Shares:
    """Limits of all scrapes together, divided fairly between namespaces.

    Attributes:
        visits: visits at the same time.
        documents: bytes of documents that are being received or parsed.
        parsing: turns to parse something in the event loop, one in each of its iterations.
        windows: memory of all windows.
        profiles: the reference profiles in use, by digest. Targets of one version share them.
    """

    def __init__(
        self, *, visits: int = VISITS, documents: int = DOCUMENT_BYTES, window_bytes: int = DEFAULT_BYTES
    ) -> None:
        self.visits = FairShares(visits)
        self.documents = FairShares(documents)
        self.parsing = FairShares(1)
        self._small = FairShares(1)
        self._large = FairShares(1)
        self.windows = WindowMemory(window_bytes)
        self.profiles: WeakValueDictionary[str, Profile] = WeakValueDictionary()

    def worker(self, *, large: bool) -> FairShares:
        """Turns of the threads that read profiles and windows, and write windows: one for small, one for large ones."""
        return self._large if large else self._small
