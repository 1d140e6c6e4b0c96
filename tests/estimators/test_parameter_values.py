"""The bounds of `params` allow every documented value that a manifest can express."""

from __future__ import annotations

import json
from typing import Any

from perennate.api.v1alpha1.parameters import check_parameters
from tests.estimators.cases import cases


def expressible(changes: dict[str, Any]) -> dict[str, Any] | None:
    """The changes as a manifest holds them; None if it cannot: functions, estimators, arrays."""
    try:
        found: dict[str, Any] = json.loads(json.dumps(changes))
    except TypeError:
        return None
    return found


def test_every_documented_value_is_within_the_bounds() -> None:
    values = [found for case in cases() if (found := expressible(case.changes)) is not None]
    assert len(values) > 500
    shapes = {type(value) for found in values for value in found.values()}
    assert shapes == {bool, dict, float, int, list, str, type(None)}
    for found in values:
        assert check_parameters(found) == found
