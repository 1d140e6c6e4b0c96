"""Keeps the windows of all policies within a limit of memory. The namespace that takes the most gives way first."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final, Protocol

DEFAULT_BYTES: Final = 256 * 2**20
"""Memory for all windows if the container has no limit."""
SUB_WINDOW_BYTES: Final = 16 * 2**20
"""Memory for the sub-windows of one window. A window with very many cells has fewer and longer ones."""
POD_BYTES: Final = 8 * 2**20
"""Memory for the last counts of the pods of one window. Of a window with very many cells, fewer pods are followed."""
MIN_SUB_WINDOWS: Final = 24
MIN_PODS: Final = 8
CGROUP_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")


class Holder(Protocol):
    """Who holds a window."""

    def drop_window(self) -> None:
        """Give up the window."""
        ...


def sub_windows_of(cells: int) -> int:
    """Number of sub-windows that the memory of one window allows."""
    return max(MIN_SUB_WINDOWS, SUB_WINDOW_BYTES // (8 * cells))


def pods_of(cells: int) -> int:
    """Number of pods that the memory of one window allows."""
    return max(MIN_PODS, POD_BYTES // (8 * cells))


def half_of_container(limit: Path = CGROUP_LIMIT) -> int:
    """Half of the memory limit of the container in bytes, `DEFAULT_BYTES` if it has none."""
    try:
        return int(limit.read_text()) // 2
    except (OSError, ValueError):
        return DEFAULT_BYTES


class WindowMemory:
    """Who holds how much, in bytes.

    Args:
        total: maximum of all windows together.
    """

    def __init__(self, total: int = DEFAULT_BYTES) -> None:
        self.total: Final = total
        self._held: dict[Holder, tuple[str, int]] = {}

    @property
    def held(self) -> int:
        """What all windows hold."""
        return sum(amount for _, amount in self._held.values())

    def fits(self, amount: int) -> bool:
        """Whether so much is free."""
        return self.held + amount <= self.total

    def hold(self, owner: Holder, namespace: str, amount: int) -> list[Holder]:
        """Set what an owner holds. Returns the owners that must drop their windows, which count no more.

        While there is too little, the largest window of the namespace that holds the most is dropped.
        """
        self._held[owner] = namespace, amount
        dropped = []
        while self.held > self.total:
            largest = self._largest()
            del self._held[largest]
            dropped.append(largest)
        return dropped

    def release(self, owner: Holder) -> None:
        """The owner holds nothing any more."""
        self._held.pop(owner, None)

    def _largest(self) -> Holder:
        by_namespace: Counter[str] = Counter()
        for namespace, amount in self._held.values():
            by_namespace[namespace] += amount
        ((most, _),) = by_namespace.most_common(1)
        return max((owner for owner in self._held if self._held[owner][0] == most), key=lambda one: self._held[one][1])
