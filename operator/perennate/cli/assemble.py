"""From what was counted to the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from perennate.cli.counting import Current
from perennate.cli.errors import UsageError
from perennate.cli.exits import Exit
from perennate.cli.histograms import feature_cells, prediction_cells, score_cells
from perennate.cli.reference import Reference
from perennate.cli.report import ColumnReport, DriftReport, FaultReport, MetricReport, Outcome, Settings, Shares, Source
from perennate.cli.words import counted, fault_words, verdict_words
from perennate.drift import (
    Evaluation,
    FeatureResult,
    FeatureRule,
    Measurement,
    Sample,
    Verdict,
    estimate_performance,
    evaluate,
)
from perennate.drift.features import CategoricalFeature
from perennate.drift.layout import ROWS
from perennate.drift.outputs import PREDICTION, SCORE
from perennate.drift.standing import ERRORS, loss_detected, spread_of
from perennate.drift.verdict import ROWS_FLOOR

OUTCOMES: Mapping[Exit, Outcome] = {
    Exit.QUIET: "Quiet",
    Exit.DRIFT: "Drift",
    Exit.FAULT: "DataFault",
    Exit.UNKNOWN: "Unknown",
}
DECIDING = ("auc", "accuracy", "mae")
"""The metric that decides unless one is named: the first of these that there is."""
SHARE_LOST = 0.05
ERROR_LOST = 0.1


@dataclass(frozen=True)
class Asked:
    """How the user wants it judged."""

    settings: Settings
    metric: str | None = None
    tolerance: float | None = None
    rules: Mapping[str, FeatureRule] = field(default_factory=dict)


def make_report(reference: Reference, current: Current, asked: Asked) -> DriftReport:
    """Judge what was counted.

    Raises:
        UsageError: a metric is asked for that the model does not have.
    """
    sample, settings = current.sample, asked.settings
    found = evaluate(
        sample,
        min_samples=settings.min_samples,
        significance=settings.significance,
        warning=settings.warning,
        drifted=settings.drifted,
        rules=asked.rules,
        quorum=settings.min_drifted_features,
    )
    performance = judge_performance(reference, current, asked)
    code = exit_code(found, performance)
    return DriftReport(
        outcome=OUTCOMES[code],
        exit_code=code,
        words=outcome_words(found, performance, settings),
        reference=Source(names=(reference.name,), rows=reference.rows, rows_used=reference.profile.rows),
        current=Source(names=current.names, rows=sample.rows, rows_used=sample.rows),
        profile_digest=reference.profile.digest,
        settings=settings,
        columns=tuple(column_report(sample, result, settings) for result in found.features),
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
        performance=performance,
        notes=notes(reference, current),
    )


def exit_code(found: Evaluation, performance: tuple[MetricReport, ...]) -> Exit:
    """What the command ends with. Faulty data come first: what else they show may be their doing."""
    if found.faults:
        return Exit.FAULT
    if found.verdict is Verdict.DRIFTED or any(metric.lost for metric in performance):
        return Exit.DRIFT
    return Exit.UNKNOWN if found.verdict is Verdict.UNKNOWN else Exit.QUIET


def outcome_words(found: Evaluation, performance: tuple[MetricReport, ...], settings: Settings) -> str:
    """The outcome in one sentence."""
    named = [item.name for item in found.features if item.verdict is Verdict.DRIFTED]
    said = [f"Too few rows to tell: {found.reason}"] if found.verdict is Verdict.UNKNOWN else []
    if found.faults:
        faulty = list(dict.fromkeys(fault.feature for fault in found.faults))
        said.append(f"Faulty data in {counted(len(faulty), 'column')}: {some(faulty)}")
    if named and found.verdict is Verdict.DRIFTED:
        said.append(f"Drift in {counted(len(named), 'column')}: {some(named)}")
    elif named:
        quorum = settings.min_drifted_features
        least = f"{quorum:g}" if quorum >= 1 else f"{quorum * 100:g} %"
        said.append(f"Drift in {counted(len(named), 'column')} only, at least {least} must: {some(named)}")
    said += [
        f"Performance lost: {item.metric} {item.value:.4g}, was {item.baseline:.4g}"
        for item in performance
        if item.lost
    ]
    if not said:
        lesser = [item.name for item in found.features if item.verdict in {Verdict.WARNING, Verdict.CHANGED}]
        said.append(
            f"No drift; {counted(len(lesser), 'column')} changed a little: {some(lesser)}" if lesser else "No drift"
        )
    return ". ".join(said) + "."


def some(names: list[str], most: int = 3) -> str:
    """The first names, and how many more."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def column_report(sample: Sample, result: FeatureResult, settings: Settings) -> ColumnReport:
    """What was found of one column, or of what the model said."""
    score = sample.profile.score
    return ColumnReport(
        name=result.name,
        verdict=result.verdict.value,
        words=verdict_words(result, needed=max(settings.min_samples, ROWS_FLOOR)),
        hint=result.hint or None,
        method=result.method,
        effect=result.effect,
        threshold=result.threshold,
        p=result.p,
        statistics=dict(result.statistics),
        design_effect=result.phi,
        rows=result.rows,
        mark=score.threshold if score is not None and result.name == SCORE else None,
        **_seen(sample, result.name),
    )


def _seen(sample: Sample, name: str) -> dict[str, Any]:
    """What a column holds, and how its rows lie on both sides."""
    if name == SCORE:
        return {"kind": "score", "cells": score_cells(sample)}
    if name == PREDICTION:
        return {"kind": "prediction", "cells": prediction_cells(sample)}
    index = [feature.name for feature in sample.layout.features].index(name)
    found = {"kind": sample.layout.features[index].kind, "cells": feature_cells(sample, index)}
    return found | shares(sample, index)


def shares(sample: Sample, index: int) -> dict[str, Shares]:
    """Rows of a feature that are missing, unseen and out of range, on both sides."""
    layout = sample.layout
    both = layout.reference, sample.total
    counts = [cells[layout.specials[:, index]] / max(int(cells[ROWS]), 1) for cells in both]
    below, above, missing, other = ((float(known), float(seen)) for known, seen in zip(*counts, strict=True))
    found = {"missing": missing, "unseen": other}
    if not isinstance(layout.features[index], CategoricalFeature):
        found["out_of_range"] = below[0] + above[0], below[1] + above[1]
    return {name: Shares(reference=known, current=seen) for name, (known, seen) in found.items()}


def judge_performance(reference: Reference, current: Current, asked: Asked) -> tuple[MetricReport, ...]:
    """The metrics of the current rows beside their baselines: measured where the truth is known, else estimated.

    Raises:
        UsageError: a metric is asked for that there is none of.
    """
    measured: dict[str, Measurement] = {}
    if current.outcomes is not None:
        measured = current.outcomes.measured(1 - asked.settings.significance)
    needed = max(asked.settings.min_samples, ROWS_FLOOR)
    measured = {name: found for name, found in measured.items() if found.rows >= needed}
    if not measured:
        estimates = estimate_performance(current.sample, confidence=1 - asked.settings.significance)
        return tuple(_metric(reference, found, estimated=True) for found in estimates.values())
    deciding = asked.metric or next((name for name in DECIDING if name in measured), None)
    if deciding not in measured:
        raise UsageError(f"--metric must be one of {', '.join(measured)} for this model, got {deciding!r}")
    return tuple(
        _metric(reference, found, estimated=False, asked=asked if found.metric == deciding else None)
        for found in measured.values()
    )


def _metric(
    reference: Reference,
    found: Measurement,
    *,
    estimated: bool,
    asked: Asked | None = None,
) -> MetricReport:
    """One metric; the one that decides, for which something is asked, says whether performance is lost."""
    known = reference.profile.metrics.get(found.metric)
    baseline = None if known is None else known.value
    tolerated = lost = None
    if asked is not None and known is not None:
        usual = ERROR_LOST * known.value if found.metric in ERRORS else SHARE_LOST
        tolerated = usual if asked.tolerance is None else asked.tolerance
        spread = spread_of(known.standard_error, asked.settings.significance)
        lost = loss_detected(known.value, found, tolerated, spread)
    return MetricReport(
        metric=found.metric,
        estimated=estimated,
        value=found.value,
        lower=found.lower,
        upper=found.upper,
        baseline=baseline,
        rows=found.rows,
        tolerance=tolerated,
        lost=lost,
    )


def notes(reference: Reference, current: Current) -> tuple[str, ...]:
    """What else a reader should know."""
    said = []
    if reference.profile.rows < reference.rows:
        said.append(
            f"{reference.name} has {reference.rows:,} rows; {reference.profile.rows:,} of them, evenly drawn, make the "
            "profile."
        )
    if current.extra:
        said.append(f"Not in the reference, and not looked at: {some(list(current.extra), 8)}.")
    return tuple(said)
