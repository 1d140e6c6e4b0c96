"""The memory of all windows together: who gives way when it is full."""

from __future__ import annotations

from pathlib import Path

import pytest

from perennate.kube.monitoring.window_memory import (
    DEFAULT_BYTES,
    WindowMemory,
    half_of_container,
    pods_of,
    sub_windows_of,
)


class Window:
    """A holder that notes that it was dropped."""

    def __init__(self) -> None:
        self.dropped = False

    def drop_window(self) -> None:
        """Note it."""
        self.dropped = True


def held(memory: WindowMemory, namespace: str, amount: int) -> Window:
    """A window that holds so much; those that must give way are dropped."""
    window = Window()
    for one in memory.hold(window, namespace, amount):
        one.drop_window()
    return window


def test_the_namespace_that_takes_the_most_gives_way() -> None:
    """Not the one that comes last, and not the one with the largest window."""
    memory = WindowMemory(100)
    hostile = [held(memory, "hostile", 12) for _ in range(5)]
    large = held(memory, "honest", 38)
    assert memory.held == 98
    small = held(memory, "new", 10)
    assert sum(window.dropped for window in hostile) == 1
    assert not large.dropped
    assert not small.dropped
    assert memory.held == 96


def test_a_tenant_whose_own_window_is_too_large_drops_that() -> None:
    memory = WindowMemory(100)
    others = [held(memory, f"tenant {number}", 10) for number in range(8)]
    assert held(memory, "greedy", 60).dropped
    assert not any(window.dropped for window in others)
    assert not memory.fits(21)
    assert memory.fits(20)


def test_growth_and_release_count() -> None:
    memory = WindowMemory(100)
    window = held(memory, "a", 10)
    assert memory.hold(window, "a", 40) == []
    assert memory.held == 40
    memory.release(window)
    memory.release(window)
    assert memory.held == 0


@pytest.mark.parametrize(("features", "sub_windows", "pods"), [(30, 2_579, 1_289), (300, 258, 129), (3_000, 25, 12)])
def test_large_windows_have_fewer_sub_windows_and_pods(features: int, sub_windows: int, pods: int) -> None:
    """Of 27 cells a feature. A window has at most 288 sub-windows in any case."""
    assert (sub_windows_of(27 * features + 3), pods_of(27 * features + 3)) == (sub_windows, pods)


def test_windows_may_take_half_of_the_container(tmp_path: Path) -> None:
    """A container without a limit has the text `max` there, and other systems have no such file."""
    file = tmp_path / "memory.max"
    assert half_of_container(file) == DEFAULT_BYTES
    file.write_text("max\n")
    assert half_of_container(file) == DEFAULT_BYTES
    file.write_text(f"{512 * 2**20}\n")
    assert half_of_container(file) == 256 * 2**20
