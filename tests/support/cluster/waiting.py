"""Waiting for conditions in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.cluster.host.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 300.0
"""Timeout in seconds, long enough for a machine of any speed and load."""


def eventually(condition: Callable[[], bool], *, pause: float = 0.1) -> bool:
    """Poll `condition` every `pause` seconds. Returns False if it does not hold within `PATIENCE` seconds."""
    return wait_until(condition, seconds=PATIENCE, pause=pause)
