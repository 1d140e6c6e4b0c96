"""The gate on trusted rows."""

from __future__ import annotations

import pytest

from perennate.api.documents.metric import Metric
from perennate.api.documents.stage_result import GateOutcome
from perennate.gates.anchor import check_anchor

PASSED, FAILED, INCONCLUSIVE = GateOutcome.PASSED, GateOutcome.FAILED, GateOutcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("metric", "champion", "challenger", "max_loss", "outcome"),
    [
        (Metric.AUC, 0.9, 0.95, 0.0, PASSED),
        (Metric.AUC, 0.9, 0.9, 0.0, PASSED),
        (Metric.AUC, 0.9, 0.899, 0.0, FAILED),
        (Metric.AUC, 0.9, 0.88, 0.02, PASSED),
        (Metric.AUC, 0.3, 0.1, 0.2, PASSED),
        (Metric.AUC, 0.9, 0.87, 0.02, FAILED),
        (Metric.AUC, 0.5, 0.9, 0.0, PASSED),
        (Metric.RMSE, 5.0, 5.9, 1.0, PASSED),
        (Metric.RMSE, 5.0, 6.1, 1.0, FAILED),
        (Metric.LOG_LOSS, 0.3, 0.1, 0.0, PASSED),
        (Metric.R2, -3.0, -3.5, 0.5, PASSED),
        (Metric.AUC, None, 0.9, 1.0, FAILED),
        (Metric.AUC, 0.9, None, 1.0, FAILED),
        (Metric.AUC, float("nan"), 0.9, 1.0, FAILED),
        (Metric.RMSE, 5.0, float("inf"), 1.0, FAILED),
    ],
)
def test_the_accepted_loss_is_in_the_unit_of_the_metric(
    metric: Metric, champion: float | None, challenger: float | None, max_loss: float, outcome: GateOutcome
) -> None:
    verdict = check_anchor(
        metric, champion=champion, challenger=challenger, max_loss=max_loss, rows=100, min_samples=30
    )
    assert verdict.outcome is outcome
    assert (verdict.to_result().source, verdict.to_result().passed) == ("Anchor", outcome is PASSED)


def test_the_bound_is_in_the_result() -> None:
    """`kubectl get -o yaml` shows what would have passed."""
    result = check_anchor(Metric.AUC, champion=0.9, challenger=0.5, max_loss=0.02, rows=9, min_samples=None).to_result()
    assert (result.value, result.min, result.max) == (0.5, 0.88, None)
    result = check_anchor(Metric.MAE, champion=2.0, challenger=4.0, max_loss=1.0, rows=9, min_samples=None).to_result()
    assert (result.value, result.min, result.max) == (4.0, None, 3.0)


def test_few_rows_are_inconclusive() -> None:
    verdict = check_anchor(Metric.AUC, champion=0.9, challenger=0.1, max_loss=0.02, rows=29, min_samples=30)
    assert verdict.outcome is INCONCLUSIVE
