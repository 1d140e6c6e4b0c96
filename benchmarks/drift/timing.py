"""Measure the CPU time of two functions in turns, so that both run under the same load."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median


def in_turns(
    first: Callable[[], object], second: Callable[[], object], *, repeats: int, rounds: int
) -> tuple[float, float, float]:
    """Return CPU seconds per call of each function, and the ratio second / first; medians over the rounds.

    The two alternate call by call. One round more, the first, is not counted.
    """
    spent = [_round(first, second, repeats) for _ in range(rounds + 1)][1:]
    ratios = median(other / one for one, other in spent)
    return median(one for one, _ in spent), median(other for _, other in spent), ratios


def _round(first: Callable[[], object], second: Callable[[], object], repeats: int) -> tuple[float, float]:
    one = other = 0.0
    for _ in range(repeats):
        begin = time.process_time()
        first()
        between = time.process_time()
        second()
        one, other = one + between - begin, other + time.process_time() - between
    return one / repeats, other / repeats
