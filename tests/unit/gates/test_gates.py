"""Quality gates: inclusive bounds, and no pass without a finite metric."""

from __future__ import annotations

import math

import pytest

from perennate.api.documents.metric import Metric
from perennate.api.documents.run_spec import Gate
from perennate.api.documents.stage_result import GateOutcome, GateResult
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
    (verdict,) = check_gates((bound,), metrics, rows=30, min_samples=30)
    assert verdict.outcome is (GateOutcome.PASSED if passed else GateOutcome.FAILED)
    assert reason in verdict.reason


def test_verdicts_are_in_the_order_of_the_gates() -> None:
    gates = (Gate(metric=Metric.F1, min=0.5), Gate(metric=Metric.LOG_LOSS, max=0.1))
    verdicts = check_gates(gates, {Metric.F1: 0.2, Metric.LOG_LOSS: 0.3}, rows=100, min_samples=None)
    assert [verdict.reason for verdict in verdicts] == [
        "f1 0.2 is below the minimum 0.5",
        "logLoss 0.3 is above the maximum 0.1",
    ]


def test_without_gates_there_are_no_verdicts() -> None:
    assert check_gates((), {Metric.AUC: NAN}, rows=1, min_samples=30) == ()


@pytest.mark.parametrize("value", [NAN, INF, None])
def test_a_result_has_no_value_that_is_not_finite(value: float | None) -> None:
    """The API server rejects NaN and infinity."""
    metrics = {} if value is None else {Metric.AUC: value}
    (verdict,) = check_gates((gate(0.8),), metrics, rows=100, min_samples=30)
    assert verdict.to_result() == GateResult(metric=Metric.AUC, min=0.8, passed=False, outcome=GateOutcome.FAILED)


def test_a_result_has_the_value_and_the_bounds() -> None:
    (verdict,) = check_gates((gate(0.8),), {Metric.AUC: 0.9}, rows=100, min_samples=30)
    assert verdict.to_result() == GateResult(
        metric=Metric.AUC, value=0.9, min=0.8, passed=True, outcome=GateOutcome.PASSED
    )


@pytest.mark.parametrize("rows", [0, 1, 3, 29])
@pytest.mark.parametrize("value", [0.1, 0.9, NAN])
def test_with_too_few_rows_every_gate_is_inconclusive(rows: int, value: float) -> None:
    """Neither a good value nor a bad one counts."""
    verdicts = check_gates((gate(0.8), Gate(metric=Metric.F1, min=0.5)), {Metric.AUC: value}, rows=rows, min_samples=30)
    assert [verdict.outcome for verdict in verdicts] == [GateOutcome.INCONCLUSIVE] * 2
    assert f"on {rows} hold-out rows is inconclusive" in verdicts[0].reason
    assert [verdict.to_result().passed for verdict in verdicts] == [False, False]


@pytest.mark.parametrize(("rows", "min_samples"), [(30, 30), (1, 1), (1, None), (31, 30)])
def test_with_enough_rows_gates_are_judged(rows: int, min_samples: int | None) -> None:
    """A request of the first release has no minimum."""
    (verdict,) = check_gates((gate(0.8),), {Metric.AUC: 0.9}, rows=rows, min_samples=min_samples)
    assert verdict.outcome is GateOutcome.PASSED
