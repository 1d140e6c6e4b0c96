"""The small parts of a DriftPolicy's decisions: cooldown, budget, triggers, rounding."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennate.api.meta import Condition
from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus
from perennate.reconcilers.drift_policy.evaluation.rounding import hundredths, power_of_ten, three_digits, two_digits
from perennate.reconcilers.drift_policy.retraining.cooldown import (
    DAY_SECONDS,
    LONGEST_SECONDS,
    budget_returns,
    cooldown_seconds,
    next_trigger_time,
    starts_of_the_day,
)
from perennate.reconcilers.drift_policy.retraining.triggers import measured_trigger
from perennate.reconcilers.times import parse_time
from tests.support.world.objects import NOW, Document, at, condition, make_drift_policy

COOLDOWNS = {
    "no loss": (3600.0, 0, 3600.0),
    "one loss doubles": (3600.0, 1, 7200.0),
    "three losses": (3600.0, 3, 28_800.0),
    "many losses end at thirty days": (3600.0, 1000, LONGEST_SECONDS),
    "a longer wait of the user's own stays": (2 * LONGEST_SECONDS, 5, 2 * LONGEST_SECONDS),
    "no cooldown is none": (0.0, 9, 0.0),
}


@pytest.mark.parametrize(("base", "lost", "want"), COOLDOWNS.values(), ids=COOLDOWNS)
def test_the_cooldown_doubles_up_to_a_limit(base: float, lost: int, want: float) -> None:
    """Doubled for each challenger in a row that lost, up to thirty days, never below what the user asked for."""
    assert cooldown_seconds(base, lost) == want


def test_without_a_retraining_there_is_no_wait() -> None:
    assert next_trigger_time(None, 3600.0, 5) is None
    assert next_trigger_time(at(0), 60.0, 1) == at(120)


@given(st.lists(st.integers(-200_000, 0), max_size=48), st.integers(1, 48))
def test_the_budget_returns_when_a_start_leaves_the_day(offsets: list[int], limit: int) -> None:
    starts = starts_of_the_day(tuple(at(offset) for offset in sorted(offsets)), NOW)
    assert all((NOW - parse_time(start)).total_seconds() < DAY_SECONDS for start in starts)
    if len(starts) < limit:
        return
    moment = budget_returns(starts, limit)
    assert moment > NOW
    assert len(starts_of_the_day(starts, moment)) < limit
    assert len(starts_of_the_day(starts, moment - timedelta(seconds=1))) >= limit


DRIFT = {"drift": {"threshold": 0.25, "duration": "1h"}}
PERFORMANCE = {"performance": {"metric": "auc"}}
FEATURE = {"name": "wind", "verdict": "Drifted", "psiStar": 0.8, "pValue": 0.001, "rows": 1000}
LONG_AGO = {"active": True, "since": at(-3600)}
TRIGGERS: dict[str, tuple[Document, Document, list[Document], str | None]] = {
    "nothing is given": ({}, {"drift": LONG_AGO, "features": [FEATURE]}, [condition("DriftDetected")], None),
    "performance was lost": (PERFORMANCE, {}, [condition("PerformanceLost")], "Performance"),
    "performance is unknown": (PERFORMANCE, {}, [condition("PerformanceLost", "Unknown")], None),
    "performance was held": (PERFORMANCE, {}, [condition("PerformanceLost", "False")], None),
    "performance was lost and is not watched": (DRIFT, {}, [condition("PerformanceLost")], None),
    "drift is strong and has lasted": (
        DRIFT,
        {"drift": LONG_AGO, "features": [FEATURE]},
        [condition("DriftDetected")],
        "Drift",
    ),
    "drift is unknown now": (
        DRIFT,
        {"drift": LONG_AGO, "features": [FEATURE]},
        [condition("DriftDetected", "Unknown")],
        None,
    ),
    "drift has not lasted": (
        DRIFT,
        {"drift": {"active": True, "since": at(-3599)}, "features": [FEATURE]},
        [condition("DriftDetected")],
        None,
    ),
    "drift is weak": (
        DRIFT,
        {"drift": LONG_AGO, "features": [{**FEATURE, "psiStar": 0.24}]},
        [condition("DriftDetected")],
        None,
    ),
    "both: lost performance comes first": (
        {**DRIFT, **PERFORMANCE},
        {"drift": LONG_AGO, "features": [FEATURE]},
        [condition("DriftDetected"), condition("PerformanceLost")],
        "Performance",
    ),
}


@pytest.mark.parametrize(("triggers", "status", "conditions", "want"), TRIGGERS.values(), ids=TRIGGERS)
def test_what_a_measurement_asks_for(
    triggers: Document, status: Document, conditions: list[Document], want: str | None
) -> None:
    """Each trigger is off unless given, and only a definite True asks for anything."""
    decision = measured_trigger(
        make_drift_policy(spec={"triggers": triggers}).spec.triggers,
        DriftPolicyStatus.model_validate(status),
        tuple(Condition.model_validate(found) for found in conditions),
        NOW,
    )
    assert (decision.kind if decision is not None else None) == want


ROUNDED = {0: 0, 7: 7, 99: 99, 100: 100, 123: 120, 12_345: 12_000, 12_500: 12_000, 99_999: 100_000}


@pytest.mark.parametrize(("count", "want"), ROUNDED.items())
def test_counts_keep_two_digits(count: int, want: int) -> None:
    """Rows tick with every request; their two leading digits do not."""
    assert two_digits(count) == want


@pytest.mark.parametrize(("p_value", "want"), [(0.0, 1e-12), (3e-5, 1e-4), (1e-4, 1e-4), (0.5, 1.0), (1.0, 1.0)])
def test_p_values_keep_their_order(p_value: float, want: float) -> None:
    """The order of a p-value is what matters; it is never rounded down, so nothing looks surer than it is."""
    assert power_of_ten(p_value) == want
    assert power_of_ten(p_value) >= p_value


def test_numbers_of_a_status_are_finite() -> None:
    """NaN is refused here, with the reason, before it would make the API server refuse every status of the policy."""
    assert hundredths(0.126) == 0.13
    assert str(hundredths(-0.001)) == "0.0"
    with pytest.raises(ValueError, match="finite numbers only; got nan"):
        hundredths(float("nan"))


IN_UNITS = {
    "a small error": ((0.004_123, 0.003_9, 0.004_4), 0.002_056, (0.004_12, 0.003_9, 0.004_4)),
    "a large one": ((72_345.6, 71_000.2, 73_500.9), 27_449.0, (72_300.0, 71_000.0, 73_500.0)),
    "one that was none": ((-0.51, -0.623, -0.4), 0.0, (-0.51, -0.623, -0.4)),
    "nothing at all": ((0.0, 0.0, 0.0), 0.0, (0.0, 0.0, 0.0)),
}


@pytest.mark.parametrize(("values", "baseline", "want"), IN_UNITS.values(), ids=IN_UNITS)
def test_values_with_a_unit_keep_three_digits(
    values: tuple[float, ...], baseline: float, want: tuple[float, ...]
) -> None:
    """An error of .004 is not 0, and one of 72,345 does not tick with every row."""
    assert three_digits(values, of=baseline) == pytest.approx(want, abs=0)
