"""A token bucket: how fast the operator may write, whatever there is to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class TokenBucket:
    """Lets `burst` calls through at once and `rate` a second after that, in the order in which they ask.

    `clock` counts seconds; the running event loop's clock if not given.
    """

    def __init__(self, *, rate: float, burst: int, clock: Callable[[], float] | None = None) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._clock = clock
        self._filled_at: float | None = None

    async def take(self) -> None:
        """Take a token, waiting for it if there is none. The bucket may owe tokens: who comes later waits longer."""
        now = (self._clock or asyncio.get_running_loop().time)()
        elapsed = 0.0 if self._filled_at is None else now - self._filled_at
        self._filled_at = now
        self._tokens = min(self._burst, self._tokens + elapsed * self._rate) - 1.0
        if self._tokens < 0:
            await asyncio.sleep(-self._tokens / self._rate)
