"""CPU time of two things in turns, so that both meet the same load of the machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median


def in_turns(
    first: Callable[[], object], second: Callable[[], object], *, repeats: int, rounds: int
) -> tuple[float, float]:
    """CPU seconds of one call of each, the median of the rounds; one round more, the first, is not counted."""
    spent = [(_spent(first, repeats), _spent(second, repeats)) for _ in range(rounds + 1)][1:]
    one, other = zip(*spent, strict=True)
    return median(one), median(other)


def _spent(call: Callable[[], object], repeats: int) -> float:
    begin = time.process_time()
    for _ in range(repeats):
        call()
    return (time.process_time() - begin) / repeats
