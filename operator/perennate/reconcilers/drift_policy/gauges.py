"""The metrics of a DriftPolicy: measurements of the last evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate import drift
from perennate.reconcilers.gauges import GaugeFamily, GaugeUpdate, GaugeValue

if TYPE_CHECKING:
    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus, PerformanceStatus
    from perennate.drift import Evaluation

_POLICY: Final = "policy"
FEATURE: Final = GaugeFamily(
    "perennate_drift_feature",
    "Measurements of the last evaluation for a feature, the `score` or the `prediction`: the effect size by each "
    "method of spec.features (psi is PSI*), pValue before Holm's correction, and designEffect (1 for independent "
    "rows). Absent while there is no verdict.",
    _POLICY,
    ("feature", "statistic"),
)
ROWS: Final = GaugeFamily(
    "perennate_drift_window_rows",
    "Rows in the window of the last evaluation, rounded to two significant digits.",
    _POLICY,
)
PERFORMANCE: Final = GaugeFamily(
    "perennate_performance", "Labelled performance in the window, rounded as in status.", _POLICY, ("metric",)
)
ESTIMATED: Final = GaugeFamily(
    "perennate_estimated_performance",
    "Performance estimated from the scores in the window, without labels, rounded as in status.",
    _POLICY,
    ("metric",),
)
GAUGES: Final = (FEATURE, ROWS, PERFORMANCE, ESTIMATED)
NO_FEATURES: Final = GaugeUpdate(FEATURE, ())
"""Removes the series of all features: there is no verdict."""


def feature_gauges(found: Evaluation) -> GaugeUpdate:
    """Every effect size of every feature, its p-value and its design effect, not rounded."""
    values: list[GaugeValue] = []
    for feature in found.features:
        if feature.verdict is not drift.DriftVerdict.UNKNOWN:
            measured = {**feature.statistics, "pValue": feature.p, "designEffect": feature.design_effect}
            values += [GaugeValue(float(value), (feature.name, statistic)) for statistic, value in measured.items()]
    return GaugeUpdate(FEATURE, tuple(values))


def status_gauges(status: DriftPolicyStatus) -> tuple[GaugeUpdate, ...]:
    """The figures that are in status too: rows of the window, and both performances."""
    window = (GaugeUpdate(ROWS, (GaugeValue(status.window.rows),)),) if status.window is not None else ()
    performance = GaugeUpdate(PERFORMANCE, _metric(status.performance))
    return (*window, performance, GaugeUpdate(ESTIMATED, _metric(status.estimated_performance)))


def _metric(found: PerformanceStatus | None) -> tuple[GaugeValue, ...]:
    return () if found is None else (GaugeValue(found.value, (found.metric,)),)
