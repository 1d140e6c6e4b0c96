"""The pace of the demo: on a slow or busy machine all its times are longer, so its checks do not depend on speed.

Windows hold the same number of rows at any pace, because the rate of the traffic and the times of the policy change
together.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPECTED_SECONDS = 25.0
"""From the manifests to the first model in service, on a machine that is fast enough for the example's times."""
_TIMES = {"interval", "scrapeInterval", "window", "cooldown"}


def slowdown(seconds: float) -> float:
    """By how much to slow the demo down if the first model was in service after `seconds`; at least 1."""
    return max(1.0, seconds / EXPECTED_SECONDS)


def slower_times(spec: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """The fields of a DriftPolicy's spec that hold times in seconds, at any depth, each multiplied by `factor`."""
    changes: dict[str, Any] = {}
    for name, value in spec.items():
        if isinstance(value, dict):
            if nested := slower_times(value, factor):
                changes[name] = nested
        elif name in _TIMES and (found := re.fullmatch(r"(\d+)s", str(value))):
            changes[name] = f"{math.ceil(int(found[1]) * factor)}s"
    return changes
