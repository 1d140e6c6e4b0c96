"""Evaluate a window for drift: compare the distributions of the traffic with those of the training data.

A change counts only if it is both significant (unlikely to be chance) and large (relevant). With significance alone,
every window with enough rows would drift; with size alone, chance would be drift in windows with few rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from perennate.drift.data.arrays import Bools, Floats, Ints
from perennate.drift.statistics.holm import holm
from perennate.drift.statistics.merging import merge_sparse
from perennate.drift.statistics.overdispersion import LEVEL, SERIES_LEVEL, estimate_design_effects
from perennate.drift.statistics.tables import Tables
from perennate.drift.statistics.union import union
from perennate.drift.verdicts.effects import DEFAULT, Comparison
from perennate.drift.verdicts.evaluation import Evaluation, describe, drift_signal, model_verdict, near_drift
from perennate.drift.verdicts.falls import fall_tests
from perennate.drift.verdicts.faults import (
    FaultTests,
    fault_signal,
    fault_tests,
    found_faults,
)
from perennate.drift.verdicts.persistence import Signal
from perennate.drift.verdicts.results import (
    DriftVerdict,
    FeatureResult,
    compared_results,
    unknown_results,
    worst_by_feature,
    worst_first,
)
from perennate.drift.verdicts.rules import FeatureRule, Thresholds, check_quorum, make_thresholds, needed_features
from perennate.drift.verdicts.selection import series_effects, with_enough_rows
from perennate.drift.windows.sample import Sample

__all__ = ["ROWS_FLOOR", "DriftVerdict", "Evaluation", "FeatureResult", "evaluate_drift"]

ROWS_FLOOR = 100
"""Lower bound of `min_samples`: with fewer rows the effect size itself is too noisy."""
NO_RULES: Mapping[str, FeatureRule] = MappingProxyType({})


def evaluate_drift(
    sample: Sample,
    *,
    min_samples: int = 500,
    significance: float = 0.001,
    warning: float = 0.1,
    drifted: float = 0.2,
    rules: Mapping[str, FeatureRule] = NO_RULES,
    quorum: float = 1,
    series: bool = False,
) -> Evaluation:
    """Compare a window with its profile.

    Args:
        sample: content of the window.
        min_samples: rows with a value that a feature needs; at least `ROWS_FLOOR` are needed in any case.
        significance: family-wise error rate over all features, outputs and data checks.
        warning: PSI* from which a significant change is a warning.
        drifted: PSI* from which a significant change is drift.
        rules: rules for single features (or "score", "prediction"), by name.
        quorum: number of features that must drift for the model to drift: a whole number, or a share of those with
            enough rows.
        series: whether neighbouring rows resemble each other in the reference as they do in the window, whose
            sub-windows are in the order of time. Then the rows of both sides are divided by the design effects of the
            window, for the data checks too. By default training rows are independent.

    Raises:
        ValueError: a rule does not apply to the profile, or the quorum is invalid.
    """
    check_quorum(quorum)
    reference = sample.reference
    thresholds = make_thresholds(reference, rules, warning=warning, drifted=drifted)
    needed, rows = max(min_samples, ROWS_FLOOR), sample.rows
    if not sample.warm or rows < needed:
        return _unknown(sample, needed)
    total = sample.total
    tables = reference.tables(total, sample.bucket_moments)
    chosen = with_enough_rows(reference, tables, needed)
    checks = fault_tests(reference, total)
    if series:
        effects = series_effects(tables)
        tables = tables.with_reference(tables.reference_counts.deflated(effects))
        checks = fault_tests(reference, total, design_effects=effects[: len(sample.layout.features)])
    whole = np.arange(chosen.size) < reference.inputs_and_outputs
    if not (chosen & whole).any():
        return _faults_only(sample, tables, thresholds, checks, significance)
    compared = _compare(sample, tables, chosen, level=SERIES_LEVEL if series else LEVEL)
    p, falls = union(compared.merged, compared.design_effects), fall_tests(checks, len(sample.layout.features))
    counted = np.array(compared.positions) != reference.target
    rejected = holm(
        np.concatenate((p[counted], falls.p, checks.p)),
        significance,
        tests=int(counted.sum()) + falls.possible + checks.possible,
    )
    significant = p <= significance
    significant[counted], fallen, faulty = np.split(rejected, [p[counted].size, p[counted].size + falls.p.size])
    assessment = _assess(compared, thresholds, significant)
    results = compared_results(compared, thresholds, p, assessment.effects, assessment.levels)
    found = worst_by_feature(
        compared, results, falls.results(reference, fallen, rows=rows, drifted=drifted, warning=warning)
    )
    features = worst_first(list(found.values()), reference.importance[list(found)])
    compared_features, near = len(features), near_drift(features)
    features += unknown_results(reference.names, tables.current_rows, thresholds, np.flatnonzero(~chosen & whole))
    required = needed_features(quorum, compared_features)
    verdict = model_verdict(features, required)
    return Evaluation(
        verdict=verdict,
        features=tuple(features),
        faults=found_faults(sample.layout, total, checks, faulty),
        rows=rows,
        signal=drift_signal(verdict, near, required),
        fault_signal=fault_signal(checks, faulty),
        reason=describe(verdict, features, required),
        target=_target_result(compared, results, thresholds),
    )


def _target_result(compared: Comparison, results: list[FeatureResult], thresholds: Thresholds) -> FeatureResult | None:
    """The result of the target; Unknown if it has too few rows, None if the window has none."""
    reference, position = compared.reference, compared.reference.target
    if position is None:
        return None
    if position in compared.positions:
        return results[compared.positions.index(position)]
    rows = reference.rows_of(compared.total)
    return unknown_results(reference.names, rows, thresholds, np.array([position]))[0] if rows[position] else None


def _compare(sample: Sample, tables: Tables, chosen: Bools, *, level: float) -> Comparison:
    """Compare the chosen tables, (tables,)."""
    known = tables.only(chosen)
    merged = merge_sparse(known)
    return Comparison(
        sample.reference, chosen, known, merged, estimate_design_effects(merged, level=level), sample.total
    )


@dataclass(eq=False, slots=True)
class _Assessment:
    """Effects and levels of the compared tables.

    Args:
        effects: effect of each table by its method, (tables,).
        levels: positions in LEVELS, (tables,).
    """

    effects: Floats
    levels: Ints


def _assess(compared: Comparison, thresholds: Thresholds, rejected: Bools) -> _Assessment:
    """Compare the effects with their thresholds."""
    effects = compared.effect(DEFAULT)
    for method in thresholds.others:
        of_compared = np.array([name == method for name in thresholds.methods])[compared.chosen]
        effects = np.where(of_compared, compared.effect(method), effects)
    drifted, warning = compared.of_compared(thresholds.drifted), compared.of_compared(thresholds.warning)
    return _Assessment(effects, rejected * (1 + (effects >= warning).astype(np.int64) + (effects >= drifted)))


def _unknown(sample: Sample, needed: int) -> Evaluation:
    """The result with too few rows or too little observed time."""
    reason = (
        f"{sample.rows} rows in the window, {needed} are needed"
        if sample.rows < needed
        else f"{sample.until - sample.since:.0f} s of the window observed, a verdict needs 1/24 of its length"
    )
    return Evaluation(DriftVerdict.UNKNOWN, (), (), sample.rows, Signal.UNKNOWN, Signal.UNKNOWN, reason)


def _faults_only(
    sample: Sample, tables: Tables, thresholds: Thresholds, checks: FaultTests, significance: float
) -> Evaluation:
    """The result if no feature has enough values for a verdict on drift; data faults may be the cause."""
    faulty = holm(checks.p, significance, tests=checks.possible)
    names, inputs_and_outputs = sample.reference.names, sample.reference.inputs_and_outputs
    return Evaluation(
        verdict=DriftVerdict.UNKNOWN,
        features=tuple(unknown_results(names, tables.current_rows, thresholds, np.arange(inputs_and_outputs))),
        faults=found_faults(sample.layout, sample.total, checks, faulty),
        rows=sample.rows,
        signal=Signal.UNKNOWN,
        fault_signal=fault_signal(checks, faulty),
        reason="no feature has enough rows with a value",
    )
