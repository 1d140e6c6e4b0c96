"""Memory of the cache, shared fairly between namespaces: whoever fills one leaves the others as they were."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import Any, Final

MEBIBYTE: Final = 1024 * 1024
TOTAL: Final = 128 * MEBIBYTE
_LARGEST_SHARE: Final = 4
"""One namespace gets at most this part of the whole, also while there is no other."""


def cost_of(value: Any) -> int:
    """Estimate of the bytes that a JSON value takes in memory. Keys are shared between objects, and not counted."""
    size = sys.getsizeof(value)
    if isinstance(value, dict | list | tuple):
        members = value.values() if isinstance(value, dict) else value
        # Without a call for each scalar: an object may have a hundred thousand of them.
        size += sum(cost_of(item) if isinstance(item, dict | list) else sys.getsizeof(item) for item in members)
    return size


class MemoryBudget:
    """Counts what each namespace takes.

    A namespace may take a quarter of the total. When the others need more, it may take what they leave, and at least
    an equal share.

    Args:
        total: bytes of all namespaces.
    """

    def __init__(self, total: int = TOTAL) -> None:
        self.total: Final = total
        self._used: dict[str, int] = defaultdict(int)
        self._sum = 0

    def used(self, namespace: str) -> int:
        """Bytes that the namespace takes."""
        return self._used.get(namespace, 0)

    def limit(self, namespace: str) -> int:
        """Bytes that the namespace may take now."""
        sharing = len(self._used) + (namespace not in self._used)
        left = self.total - (self._sum - self.used(namespace))
        return min(self.total // _LARGEST_SHARE, max(left, self.total // sharing))

    def add(self, namespace: str, cost: int) -> None:
        """Count an object; a negative cost is that of a removed one."""
        self._used[namespace] += cost
        self._sum += cost
        if self._used[namespace] <= 0:
            del self._used[namespace]
