"""The metrics of a DriftPolicy: measurements of the last evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate import drift
from perennate.api.v1alpha1.drift_policy import NAME_LIMIT
from perennate.reconcilers.gauges import GaugeFamily, GaugeUpdate, GaugeValue
from perennate.reconcilers.wording import truncate
from perennate.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perennate.api.v1alpha1.drift_policy import DriftPolicyStatus, PerformanceStatus
    from perennate.drift import FeatureResult

_POLICY: Final = "policy"
_PSI: Final = "psi"
FEATURE: Final = GaugeFamily(
    "perennate_drift_feature",
    "Measurements of the last evaluation for the features that status.features shows: psi is PSI*, pValue the p-value "
    "before Holm's correction, and a feature with another method in spec.features has the effect size by it too. The "
    "name of a feature is cut to 128 characters. Absent while there is no verdict.",
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


def feature_gauges(shown: Iterable[FeatureResult]) -> GaugeUpdate:
    """The effect sizes and the p-value of each feature with a verdict, not rounded: at most three series a feature.

    Args:
        shown: the features that the status shows. All of them would be thousands of series.
    """
    values: list[GaugeValue] = []
    for feature in shown:
        if feature.verdict is not drift.DriftVerdict.UNKNOWN:
            methods = dict.fromkeys((_PSI, feature.method))
            measured = {name: feature.statistics[name] for name in methods if name in feature.statistics}
            label = _label(feature.name)
            values += [
                GaugeValue(float(value), (label, statistic))
                for statistic, value in {**measured, "pValue": feature.p}.items()
            ]
    return GaugeUpdate(FEATURE, tuple(values))


def _label(name: str) -> str:
    """The name of a column as a label: short, and without control characters, whoever chose it."""
    return printable(truncate(name, NAME_LIMIT))


def status_gauges(status: DriftPolicyStatus) -> tuple[GaugeUpdate, ...]:
    """The figures that are in status too: rows of the window, and both performances."""
    window = (GaugeUpdate(ROWS, (GaugeValue(status.window.rows),)),) if status.window is not None else ()
    performance = GaugeUpdate(PERFORMANCE, _metric(status.performance))
    return (*window, performance, GaugeUpdate(ESTIMATED, _metric(status.estimated_performance)))


def _metric(found: PerformanceStatus | None) -> tuple[GaugeValue, ...]:
    return () if found is None else (GaugeValue(found.value, (found.metric,)),)
