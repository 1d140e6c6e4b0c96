"""Run work on many rows in several threads; numpy releases the GIL while it sorts, counts and sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def check_workers(workers: int) -> None:
    """Raise if `workers` is less than 1.

    Raises:
        ValueError: `workers` is less than 1.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")


def map_in_threads(workers: int, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Return `work(item)` for each item, in order.

    Args:
        workers: number of threads; 1 runs in the calling thread.
        work: a function that is safe to call from several threads.
        items: arguments of the calls.

    Raises:
        ValueError: `workers` is less than 1.
        Exception: the exception of the first item whose call failed.
    """
    check_workers(workers)
    if workers == 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, items))
