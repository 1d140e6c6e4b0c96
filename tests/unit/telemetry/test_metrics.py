"""The operator's metrics: which series exist, and when they are removed."""

from __future__ import annotations

from prometheus_client import generate_latest

from perennate.kube.kinds.registry import REGISTRY
from perennate.reconcilers.drift_policy.gauges import ESTIMATED, FEATURE, PERFORMANCE, ROWS
from perennate.reconcilers.gauges import GaugeUpdate, GaugeValue
from perennate.telemetry.metrics import Metrics

KIND = "DriftPolicy"
FIGURES = (
    GaugeUpdate(ROWS, (GaugeValue(1200),)),
    GaugeUpdate(PERFORMANCE, (GaugeValue(0.81, ("auc",)),)),
    GaugeUpdate(ESTIMATED, (GaugeValue(0.7, ("f1",)),)),
)


def features(*values: tuple[str, str, float]) -> GaugeUpdate:
    """The update of the per-feature gauge from (feature, statistic, value) triples."""
    return GaugeUpdate(FEATURE, tuple(GaugeValue(value, (feature, name)) for feature, name, value in values))


EVALUATION = (*FIGURES, features(("a", "psi", 0.3), ("a", "pValue", 0.01), ('b "c"', "psi", 0.1)))


def series(metrics: Metrics) -> dict[str, str]:
    """All series with their values."""
    lines = generate_latest(metrics.registry).decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_the_series_of_a_policy_exist_until_it_is_deleted() -> None:
    """Each figure of an evaluation has a series; deleting the policy removes its series and no others."""
    metrics = Metrics(REGISTRY.gauges)
    metrics.object_gauges(KIND, "ns", "p", EVALUATION)
    metrics.object_gauges(KIND, "ns", "q", EVALUATION)
    found = series(metrics)
    assert found['perennate_drift_feature{feature="a",namespace="ns",policy="p",statistic="psi"}'] == "0.3"
    assert found['perennate_drift_feature{feature="b \\"c\\"",namespace="ns",policy="p",statistic="psi"}'] == "0.1"
    assert found['perennate_drift_window_rows{namespace="ns",policy="p"}'] == "1200.0"
    assert found['perennate_performance{metric="auc",namespace="ns",policy="p"}'] == "0.81"
    assert found['perennate_estimated_performance{metric="f1",namespace="ns",policy="p"}'] == "0.7"
    metrics.forget_object("TrainingJob", "ns", "p")
    assert any('policy="p"' in name for name in series(metrics)), (
        "deleting an object of another kind with the same name must not remove series"
    )
    metrics.forget_object(KIND, "ns", "p")
    assert not any('policy="p"' in name for name in series(metrics))
    assert sum('policy="q"' in name for name in series(metrics)) == 6


def test_the_series_of_removed_features_are_removed() -> None:
    """An update replaces all series of its gauge; a pass that does not update the gauge leaves them unchanged."""
    metrics = Metrics(REGISTRY.gauges)
    metrics.object_gauges(KIND, "ns", "p", EVALUATION)
    metrics.object_gauges(KIND, "ns", "p", FIGURES)
    assert sum(name.startswith("perennate_drift_feature{") for name in series(metrics)) == 3
    metrics.object_gauges(KIND, "ns", "p", (features(("a", "psi", 0.2), ("z", "psi", 0.4)),))
    found = {name for name in series(metrics) if name.startswith("perennate_drift_feature{")}
    assert {name.split('"')[1] for name in found} == {"a", "z"}
    metrics.object_gauges(KIND, "ns", "p", (features(), GaugeUpdate(PERFORMANCE, ())))
    assert [name for name in series(metrics) if name.startswith("perennate_drift_feature{")] == []
    assert [name for name in series(metrics) if name.startswith("perennate_performance{")] == []


def test_a_new_labelled_metric_replaces_the_previous_series() -> None:
    """A policy monitors one labelled metric at a time, so a new metric replaces the old series."""
    metrics = Metrics(REGISTRY.gauges)
    metrics.object_gauges(KIND, "ns", "p", EVALUATION)
    metrics.object_gauges(KIND, "ns", "p", (GaugeUpdate(PERFORMANCE, (GaugeValue(0.5, ("f1",)),)),))
    found = [name for name in series(metrics) if name.startswith("perennate_performance{")]
    assert found == ['perennate_performance{metric="f1",namespace="ns",policy="p"}']


def test_a_phase_without_objects_has_no_series() -> None:
    metrics = Metrics()
    metrics.phases({("TrainingJob", "Running"): 2})
    metrics.phases({("TrainingJob", "Succeeded"): 1})
    counts = {name: value for name, value in series(metrics).items() if name.startswith("perennate_objects")}
    assert counts == {'perennate_objects{kind="TrainingJob",phase="Succeeded"}': "1.0"}


def test_passes_and_calls_are_counted() -> None:
    """Passes are counted by kind and result, API requests by verb and code."""
    metrics = Metrics()
    metrics.reconciled("TrainingJob", "done", 0.02)
    metrics.api_request("PATCH", 200)
    found = series(metrics)
    assert found['perennate_reconcile_total{kind="TrainingJob",result="done"}'] == "1.0"
    assert found['perennate_reconcile_duration_seconds_count{kind="TrainingJob"}'] == "1.0"
    assert found['perennate_api_requests_total{code="200",verb="PATCH"}'] == "1.0"
