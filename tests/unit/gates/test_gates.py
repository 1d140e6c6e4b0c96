"""Quality gates: inclusive bounds, and no pass without a finite metric."""

from __future__ import annotations

import math

import pytest

from perennate.api.documents.metric import Metric
from perennate.api.documents.run_spec import Gate
from perennate.api.documents.stage_result import GateResult
from perennate.gates import check_gates

NAN, INF = math.nan, math.inf


def gate(minimum: float | None = None, maximum: float | None = None) -> Gate:
    """A gate on AUC."""
    return Gate(metric=Metric.AUC, min=minimum, max=maximum)


CASES: dict[str, tuple[Gate, dict[Metric, float], bool, str]] = {
    "above the minimum": (gate(0.8), {Metric.AUC: 0.9}, True, "within"),
    "at the minimum": (gate(0.8), {Metric.AUC: 0.8}, True, "within"),
    "just below the minimum": (gate(0.8), {Metric.AUC: math.nextafter(0.8, 0)}, False, "below the minimum 0.8"),
    "at the maximum": (gate(None, 0.8), {Metric.AUC: 0.8}, True, "within"),
    "just above the maximum": (gate(None, 0.8), {Metric.AUC: math.nextafter(0.8, 1)}, False, "above the maximum 0.8"),
    "between both bounds": (gate(0.1, 0.9), {Metric.AUC: 0.5}, True, "within"),
    "a minimum above the maximum": (gate(0.9, 0.1), {Metric.AUC: 0.5}, False, "below"),
    "a negative value": (gate(-1.0), {Metric.AUC: -0.5}, True, "within"),
    "not a number": (gate(0.0), {Metric.AUC: NAN}, False, "undefined"),
    "an infinity": (gate(0.0), {Metric.AUC: INF}, False, "undefined"),
    "only another metric is measured": (gate(0.0), {Metric.F1: 1.0}, False, "undefined"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_gate_passes_only_within_its_bounds(case: str) -> None:
    """Bounds are inclusive; a metric that is missing or not finite fails the gate."""
    bound, metrics, passed, reason = CASES[case]
    (verdict,) = check_gates((bound,), metrics)
    assert verdict.passed is passed
    assert reason in verdict.reason


def test_verdicts_are_in_the_order_of_the_gates() -> None:
    gates = (Gate(metric=Metric.F1, min=0.5), Gate(metric=Metric.LOG_LOSS, max=0.1))
    verdicts = check_gates(gates, {Metric.F1: 0.2, Metric.LOG_LOSS: 0.3})
    assert [verdict.reason for verdict in verdicts] == [
        "f1 0.2 is below the minimum 0.5",
        "logLoss 0.3 is above the maximum 0.1",
    ]


def test_without_gates_there_are_no_verdicts() -> None:
    assert check_gates((), {Metric.AUC: NAN}) == ()


def test_a_verdict_without_a_finite_value_has_no_result() -> None:
    """The API server rejects NaN and infinity, so a gate without a finite value has no result."""
    bound = gate(0.8)
    assert check_gates((bound,), {Metric.AUC: NAN})[0].to_result() is None
    assert check_gates((bound,), {})[0].to_result() is None
    assert check_gates((bound,), {Metric.AUC: 0.9})[0].to_result() == GateResult(
        metric=Metric.AUC, value=0.9, min=0.8, passed=True
    )
