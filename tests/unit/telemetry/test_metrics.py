"""The operator's series: bounded, and gone with what they describe."""

from __future__ import annotations

from prometheus_client import generate_latest

from perennate.telemetry.metrics import Metrics

STATUS = {
    "features": [{"name": "a", "psiStar": 0.3, "pValue": 0.01}, {"name": "b", "psiStar": 0.1, "pValue": 0.001}],
    "performance": {"metric": "auc", "value": 0.81},
}


def series(metrics: Metrics) -> dict[str, str]:
    """All series with their values."""
    lines = generate_latest(metrics.registry).decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_a_policys_figures_are_shown_and_go_with_it() -> None:
    """The worst PSI*, the smallest p-value, the performance; nothing of a policy that was deleted."""
    metrics = Metrics()
    metrics.policy("ns", "p", STATUS)
    found = series(metrics)
    assert found['perennate_drift_psi_star{namespace="ns",policy="p"}'] == "0.3"
    assert found['perennate_drift_p_value{namespace="ns",policy="p"}'] == "0.001"
    assert found['perennate_performance{metric="auc",namespace="ns",policy="p"}'] == "0.81"
    metrics.forget_policy("ns", "p")
    assert not any('policy="p"' in name for name in series(metrics))


def test_a_phase_that_nobody_is_in_any_more_has_no_series() -> None:
    """Old counts do not linger."""
    metrics = Metrics()
    metrics.phases({("TrainingJob", "Running"): 2})
    metrics.phases({("TrainingJob", "Succeeded"): 1})
    counts = {name: value for name, value in series(metrics).items() if name.startswith("perennate_objects")}
    assert counts == {'perennate_objects{kind="TrainingJob",phase="Succeeded"}': "1.0"}


def test_passes_and_calls_are_counted() -> None:
    """By kind and result, by verb and code."""
    metrics = Metrics()
    metrics.reconciled("TrainingJob", "done", 0.02)
    metrics.api_request("PATCH", 200)
    found = series(metrics)
    assert found['perennate_reconcile_total{kind="TrainingJob",result="done"}'] == "1.0"
    assert found['perennate_reconcile_duration_seconds_count{kind="TrainingJob"}'] == "1.0"
    assert found['perennate_api_requests_total{code="200",verb="PATCH"}'] == "1.0"
