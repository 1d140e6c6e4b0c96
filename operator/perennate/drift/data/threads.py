"""Work on many rows in several threads: numpy lets the others go on while it sorts, counts and adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def check_workers(workers: int) -> None:
    """Refuse work that nobody is to do.

    Raises:
        ValueError: there are no workers.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")


def map_in_threads(workers: int, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """What the work gives for each item, in their order.

    Args:
        workers: threads; with one, the caller's does it.
        work: to be called from several threads at once.
        items: what to call it with.

    Raises:
        ValueError: there are none.
        Exception: what the work raised for the first item that it raised anything for.
    """
    check_workers(workers)
    if workers == 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, items))
