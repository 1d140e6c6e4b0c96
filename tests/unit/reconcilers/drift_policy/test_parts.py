"""Functions behind the decisions of a DriftPolicy: cool-down, budget, triggers and rounding."""

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
    "many losses are capped at thirty days": (3600.0, 1000, LONGEST_SECONDS),
    "a longer cool-down of the user is kept": (2 * LONGEST_SECONDS, 5, 2 * LONGEST_SECONDS),
    "a cool-down of zero stays zero": (0.0, 9, 0.0),
}


@pytest.mark.parametrize(("base", "lost", "want"), COOLDOWNS.values(), ids=COOLDOWNS)
def test_the_cooldown_doubles_up_to_a_limit(base: float, lost: int, want: float) -> None:
    """The cool-down doubles with each lost challenger in a row, up to thirty days, and is never below the spec's."""
    assert cooldown_seconds(base, lost) == want


def test_the_next_trigger_time_needs_an_earlier_retraining() -> None:
    assert next_trigger_time(None, 3600.0, 5) is None
    assert next_trigger_time(at(0), 60.0, 1) == at(120)


@given(st.lists(st.integers(-200_000, 0), max_size=48), st.integers(1, 48))
def test_the_budget_returns_24_hours_after_a_start(offsets: list[int], limit: int) -> None:
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
    "no trigger is set": ({}, {"drift": LONG_AGO, "features": [FEATURE]}, [condition("DriftDetected")], None),
    "performance was lost": (PERFORMANCE, {}, [condition("PerformanceLost")], "Performance"),
    "performance is unknown": (PERFORMANCE, {}, [condition("PerformanceLost", "Unknown")], None),
    "performance was not lost": (PERFORMANCE, {}, [condition("PerformanceLost", "False")], None),
    "performance was lost but has no trigger": (DRIFT, {}, [condition("PerformanceLost")], None),
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
    "drift has not lasted long enough": (
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
    "both triggers apply: performance has precedence": (
        {**DRIFT, **PERFORMANCE},
        {"drift": LONG_AGO, "features": [FEATURE]},
        [condition("DriftDetected"), condition("PerformanceLost")],
        "Performance",
    ),
}


@pytest.mark.parametrize(("triggers", "status", "conditions", "want"), TRIGGERS.values(), ids=TRIGGERS)
def test_a_trigger_needs_its_field_and_a_true_condition(
    triggers: Document, status: Document, conditions: list[Document], want: str | None
) -> None:
    """A trigger applies only if the spec sets it and its condition is True, not Unknown."""
    decision = measured_trigger(
        make_drift_policy(spec={"triggers": triggers}).spec.triggers,
        DriftPolicyStatus.model_validate(status),
        tuple(Condition.model_validate(found) for found in conditions),
        NOW,
    )
    assert (decision.kind if decision is not None else None) == want


ROUNDED = {0: 0, 7: 7, 99: 99, 100: 100, 123: 120, 12_345: 12_000, 12_500: 12_000, 99_999: 100_000}


@pytest.mark.parametrize(("count", "want"), ROUNDED.items())
def test_counts_are_rounded_to_two_digits(count: int, want: int) -> None:
    """Row counts are rounded to two digits, so that not every request changes the status."""
    assert two_digits(count) == want


@pytest.mark.parametrize(("p_value", "want"), [(0.0, 1e-12), (3e-5, 1e-4), (1e-4, 1e-4), (0.5, 1.0), (1.0, 1.0)])
def test_p_values_are_rounded_up_to_a_power_of_ten(p_value: float, want: float) -> None:
    """P-values are rounded up to a power of ten, so that no result looks more significant than it is."""
    assert power_of_ten(p_value) == want
    assert power_of_ten(p_value) >= p_value


def test_numbers_in_a_status_are_finite() -> None:
    """NaN raises an error here, because the API server would reject the status."""
    assert hundredths(0.126) == 0.13
    assert str(hundredths(-0.001)) == "0.0"
    with pytest.raises(ValueError, match="finite numbers only; got nan"):
        hundredths(float("nan"))


IN_UNITS = {
    "a small error": ((0.004_123, 0.003_9, 0.004_4), 0.002_056, (0.004_12, 0.003_9, 0.004_4)),
    "a large error": ((72_345.6, 71_000.2, 73_500.9), 27_449.0, (72_300.0, 71_000.0, 73_500.0)),
    "a baseline of zero": ((-0.51, -0.623, -0.4), 0.0, (-0.51, -0.623, -0.4)),
    "only zeros": ((0.0, 0.0, 0.0), 0.0, (0.0, 0.0, 0.0)),
}


@pytest.mark.parametrize(("values", "baseline", "want"), IN_UNITS.values(), ids=IN_UNITS)
def test_values_with_a_unit_are_rounded_to_three_digits(
    values: tuple[float, ...], baseline: float, want: tuple[float, ...]
) -> None:
    """Small errors are not rounded to zero, and large ones do not change with every row."""
    assert three_digits(values, of=baseline) == pytest.approx(want, abs=0)
