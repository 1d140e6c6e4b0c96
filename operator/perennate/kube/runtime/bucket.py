"""A token bucket that limits the rate of writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class TokenBucket:
    """Allows `burst` calls at once and `rate` calls per second after that, in the order of the calls.

    `clock` is monotonic time in seconds; that of the running event loop if not given.
    """

    def __init__(self, *, rate: float, burst: int, clock: Callable[[], float] | None = None) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._clock = clock
        self._filled_at: float | None = None

    async def take(self) -> None:
        """Take a token, or wait for one. The balance can be negative: later callers wait longer."""
        now = (self._clock or asyncio.get_running_loop().time)()
        elapsed = 0.0 if self._filled_at is None else now - self._filled_at
        self._filled_at = now
        self._tokens = min(self._burst, self._tokens + elapsed * self._rate) - 1.0
        if self._tokens < 0:
            await asyncio.sleep(-self._tokens / self._rate)
