"""From counts to the report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from perennate.cli.drift.current.counting import CurrentData
from perennate.cli.drift.details import with_details
from perennate.cli.drift.exits import Exit
from perennate.cli.drift.options import EvaluationOptions
from perennate.cli.drift.performance import compare_performance
from perennate.cli.drift.reference import ReferenceData
from perennate.drift import (
    DriftVerdict,
    Evaluation,
    FeatureResult,
    Sample,
    evaluate_drift,
)
from perennate.drift.profile.features import CategoricalFeature
from perennate.drift.profile.layout import ROWS
from perennate.drift.profile.outputs import PREDICTION, SCORE
from perennate.drift.verdicts.verdict import ROWS_FLOOR
from perennate.report.document import (
    ColumnReport,
    DriftReport,
    FaultReport,
    MetricReport,
    ReportOutcome,
    ReportSettings,
    Shares,
    Source,
)
from perennate.report.histograms import feature_cells, prediction_cells, score_cells, target_cells
from perennate.report.words import fault_words, pluralize, quorum, verdict_words

OUTCOMES: Mapping[Exit, ReportOutcome] = {
    Exit.QUIET: "Quiet",
    Exit.DRIFT: "Drift",
    Exit.FAULT: "DataFault",
    Exit.UNKNOWN: "Unknown",
}


def make_report(
    reference: ReferenceData, current: CurrentData, options: EvaluationOptions, *, created: datetime | None = None
) -> DriftReport:
    """Evaluate the counts and build the report.

    Args:
        reference: the reference.
        current: the counts.
        options: how they are evaluated.
        created: when the report is made; None: it has no date.
    """
    sample, settings = current.sample, options.settings
    found = evaluate_drift(
        sample,
        min_samples=settings.min_samples,
        significance=settings.significance,
        warning=settings.warning,
        drifted=settings.drifted,
        rules=options.rules,
        quorum=settings.min_drifted_features,
        series=options.series,
    )
    performance = compare_performance(reference, current, options)
    performance_unknown = options.requires_performance and bool(performance.unknown)
    code = exit_code(found, performance.metrics, performance_unknown=performance_unknown)
    return DriftReport(
        created=created,
        outcome=OUTCOMES[code],
        exit_code=code,
        words=outcome_words(found, performance.metrics, settings, performance_unknown=performance_unknown),
        reference=Source(names=(reference.name,), rows=reference.rows, rows_used=reference.profile.rows),
        current=Source(names=current.names, rows=sample.rows, rows_used=sample.rows),
        profile_digest=reference.profile.digest,
        settings=settings,
        columns=tuple(with_details(column_report(sample, result, settings), current) for result in found.features),
        target=None if found.target is None else target_report(sample, found.target, settings),
        faults=tuple(
            FaultReport(
                column=fault.feature,
                check=fault.check,
                words=fault_words(fault),
                shares=Shares(reference=fault.reference_rate, current=fault.rate),
                p=fault.p,
            )
            for fault in found.faults
        ),
        performance=performance.metrics,
        notes=(*notes(reference, current), *filter(None, [performance.unknown])),
    )


def exit_code(found: Evaluation, performance: tuple[MetricReport, ...], *, performance_unknown: bool) -> Exit:
    """The exit code. Data faults take precedence, because they can cause drift and a loss of performance.

    Values out of range do not if the columns drifted: a season that the reference lacks leaves its range too.

    Args:
        found: the evaluation of the columns.
        performance: the metrics.
        performance_unknown: whether the user requires the performance and it is unknown.
    """
    if found.blocking_faults:
        return Exit.FAULT
    if found.verdict is DriftVerdict.DRIFTED or any(metric.lost for metric in performance):
        return Exit.DRIFT
    return Exit.UNKNOWN if performance_unknown or found.verdict is DriftVerdict.UNKNOWN else Exit.QUIET


def outcome_words(
    found: Evaluation, performance: tuple[MetricReport, ...], settings: ReportSettings, *, performance_unknown: bool
) -> str:
    """The outcome in one sentence."""
    named = [item.name for item in found.features if item.verdict is DriftVerdict.DRIFTED]
    sentences = [f"Too few rows: {found.reason}"] if found.verdict is DriftVerdict.UNKNOWN else []
    faulty = list(dict.fromkeys(fault.feature for fault in found.faults))
    if found.blocking_faults:
        sentences.append(f"Faulty data in {pluralize(len(faulty), 'column')}: {some(faulty)}")
    if named and found.verdict is DriftVerdict.DRIFTED:
        sentences.append(f"Drift in {pluralize(len(named), 'column')}: {some(named)}")
        if faulty and not found.blocking_faults:
            where = f"in {pluralize(len(faulty), 'column')}: {some(faulty)}"
            sentences.append(f"Values out of the reference's range {where}")
    elif named:
        least = quorum(settings.min_drifted_features)
        sentences.append(f"Drift in {pluralize(len(named), 'column')} only, below the required {least}: {some(named)}")
    sentences += [
        f"Performance dropped: {item.metric} {item.value:.4g}, was {item.baseline:.4g}"
        for item in performance
        if item.lost
    ]
    if performance_unknown:
        sentences.append("The performance is unknown")
    if not sentences:
        lesser = [item.name for item in found.features if item.verdict in {DriftVerdict.WARNING, DriftVerdict.CHANGED}]
        sentences.append(
            f"No drift; {pluralize(len(lesser), 'column')} changed slightly: {some(lesser)}" if lesser else "No drift"
        )
    return ". ".join(sentences) + "."


def some(names: list[str], most: int = 3) -> str:
    """The first names, and the number of the others."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def target_report(sample: Sample, result: FeatureResult, settings: ReportSettings) -> ColumnReport:
    """The result of the true values."""
    kind = "categorical" if isinstance(sample.profile.target, CategoricalFeature) else "numeric"
    return column_report(sample, result, settings, cells={"kind": kind, "cells": target_cells(sample)})


def column_report(
    sample: Sample, result: FeatureResult, settings: ReportSettings, cells: Mapping[str, Any] | None = None
) -> ColumnReport:
    """The result of one column, or of the score or prediction, or of anything with other cells."""
    score = sample.profile.score
    return ColumnReport(
        name=result.name,
        verdict=result.verdict.value,
        words=verdict_words(result, needed=max(settings.min_samples, ROWS_FLOOR)),
        hint=result.hint or None,
        subject=result.subject or None,
        method=result.method,
        effect=result.effect,
        threshold=result.threshold,
        warning=result.warning,
        p=result.p,
        statistics=dict(result.statistics),
        psi=result.psi,
        design_effect=result.design_effect,
        rows=result.rows,
        mark=score.threshold if score is not None and result.name == SCORE else None,
        **(_column_cells(sample, result.name) if cells is None else cells),
    )


def _column_cells(sample: Sample, name: str) -> dict[str, Any]:
    """The kind of a column and its cells in reference and current data."""
    if name == SCORE:
        return {"kind": "score", "cells": score_cells(sample)}
    if name == PREDICTION:
        return {"kind": "prediction", "cells": prediction_cells(sample)}
    index = [feature.name for feature in sample.layout.features].index(name)
    feature = sample.layout.features[index]
    measure = None if isinstance(feature, CategoricalFeature) else feature.measure
    found = {"kind": feature.kind, "compared_as": measure, "cells": feature_cells(sample, index)}
    return found | shares(sample, index)


def shares(sample: Sample, index: int) -> dict[str, Shares]:
    """Shares of missing, unseen and out-of-range values of a feature, in reference and current data."""
    layout = sample.layout
    both = (layout.reference, layout.described_rows[index]), (sample.total, sample.total[ROWS])
    counts = [cells[layout.specials[:, index]] / max(int(rows), 1) for cells, rows in both]
    below, above, missing, other = ((float(known), float(seen)) for known, seen in zip(*counts, strict=True))
    found = {"missing": missing, "unseen": other}
    if not isinstance(layout.features[index], CategoricalFeature):
        found["out_of_range"] = below[0] + above[0], below[1] + above[1]
    return {name: Shares(reference=known, current=seen) for name, (known, seen) in found.items()}


def notes(reference: ReferenceData, current: CurrentData) -> tuple[str, ...]:
    """Notes for the reader of the report."""
    sentences = []
    if reference.profile.rows < reference.rows:
        sentences.append(
            f"{reference.name} has {reference.rows:,} rows; the profile is built from a uniform sample of "
            f"{reference.profile.rows:,}."
        )
    if current.extra:
        sentences.append(f"Not in the reference, and ignored: {some(list(current.extra), 8)}.")
    return tuple(dict.fromkeys((*reference.remarks, *sentences, *current.remarks)))
