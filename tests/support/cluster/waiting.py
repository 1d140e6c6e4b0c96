"""Waiting for conditions in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.cluster.host.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 300.0
"""Seconds after which a condition counts as one that never holds, on a machine of any speed and load."""


def eventually(condition: Callable[[], bool], *, pause: float = 0.1) -> bool:
    """Look at `condition` every `pause` seconds until it holds; False if it does not within `PATIENCE`."""
    return wait_until(condition, seconds=PATIENCE, pause=pause)
