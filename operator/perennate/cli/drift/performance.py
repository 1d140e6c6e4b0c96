"""The performance compared with the reference: measured on labelled rows, else estimated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from perennate.cli.drift.current.counting import CurrentData
from perennate.cli.drift.options import EvaluationOptions
from perennate.cli.drift.outputs.model import Form, Model
from perennate.cli.drift.reference import ReferenceData
from perennate.drift import Measurement, estimate_performance
from perennate.drift.metrics import confusion, labelled, regression
from perennate.drift.performance.verdict import ERRORS, interval_half_width, loss_detected
from perennate.drift.verdicts.verdict import ROWS_FLOOR
from perennate.report.document import MetricReport
from perennate.report.words import pluralize
from perennate.tabular.errors import UsageError

DECIDING = ("auc", "accuracy", "mae")
"""The default metric: the first of these that is defined."""
METRICS: Mapping[Form, tuple[str, ...]] = MappingProxyType(
    {
        "probability": tuple(labelled.METRICS),
        "class": tuple(confusion.METRICS),
        "number": tuple(regression.METRICS),
    }
)
ABSOLUTE_TOLERANCE = 0.05
"""Default tolerance of a metric from 0 to 1."""
RELATIVE_TOLERANCE = 0.1
"""Default tolerance of an error metric, as a share of the baseline."""


@dataclass(frozen=True)
class Performance:
    """The performance of the model.

    Args:
        metrics: measured or estimated metrics.
        unknown: why there is no verdict, in a sentence; empty if there is one, or none was requested.
    """

    metrics: tuple[MetricReport, ...]
    unknown: str = ""


def check_metric(metric: str | None, model: Model | None) -> None:
    """Refuse a metric that does not apply to the model, before the current files are read.

    Raises:
        UsageError: it does not apply.
    """
    if metric is not None and model is not None and metric not in METRICS[model.form]:
        raise UsageError(f"--metric must be one of {', '.join(METRICS[model.form])} for this model, got {metric!r}")


def compare_performance(reference: ReferenceData, current: CurrentData, options: EvaluationOptions) -> Performance:
    """The metrics of the current rows compared with their baselines."""
    confidence, counts = 1 - options.settings.significance, current.performance_counts
    rows, needed = 0 if counts is None else counts.rows, max(options.settings.min_samples, ROWS_FLOOR)
    if counts is None or rows < needed:
        estimates = estimate_performance(current.sample, confidence=confidence)
        why = current.unlabelled or f"{pluralize(rows, 'labelled row')}, at least {needed:,} needed"
        return Performance(
            tuple(_metric(reference, found, estimated=True) for found in estimates.values()),
            f"Performance was not measured: {why}."
            if rows or options.has_target or options.requires_performance
            else "",
        )
    measured = counts.measured(confidence)
    deciding = options.metric or next((name for name in DECIDING if name in measured), "the metric")
    unknown = ""
    if deciding not in measured:
        unknown = f"There is no verdict on the performance: {deciding} is not defined for the labelled rows."
    elif deciding not in reference.profile.metrics:
        unknown = f"There is no verdict on the performance: {reference.name} has no {deciding}."
    return Performance(
        tuple(
            _metric(reference, found, estimated=False, options=options if found.metric == deciding else None)
            for found in measured.values()
        ),
        unknown,
    )


def _metric(
    reference: ReferenceData,
    found: Measurement,
    *,
    estimated: bool,
    options: EvaluationOptions | None = None,
) -> MetricReport:
    """One metric. With `options`, it is the deciding one and says whether performance dropped."""
    known = reference.profile.metrics.get(found.metric)
    baseline = None if known is None else known.value
    tolerance = lost = None
    if options is not None and known is not None:
        default = RELATIVE_TOLERANCE * known.value if found.metric in ERRORS else ABSOLUTE_TOLERANCE
        tolerance = default if options.tolerance is None else options.tolerance
        half_width = interval_half_width(known.standard_error, options.settings.significance)
        lost = loss_detected(known.value, found, tolerance, half_width)
    return MetricReport(
        metric=found.metric,
        estimated=estimated,
        value=found.value,
        lower=found.lower,
        upper=found.upper,
        baseline=baseline,
        rows=found.rows,
        tolerance=tolerance,
        lost=lost,
    )
