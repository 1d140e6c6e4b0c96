"""How many threads to work in."""

from __future__ import annotations

import os

MAX_WORKERS = 4
"""More are of little use: most of the time goes into reading, which one does; and each holds a column of its own."""


def workers() -> int:
    """As many as there are cores that this process may use, which may be fewer than the machine has."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(usable or 1, MAX_WORKERS)
