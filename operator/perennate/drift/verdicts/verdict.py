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
from perennate.drift.statistics.overdispersion import estimate_design_effects
from perennate.drift.statistics.tables import Tables
from perennate.drift.statistics.union import union
from perennate.drift.verdicts.effects import DEFAULT, EFFECTS, Comparison
from perennate.drift.verdicts.falls import fall_tests
from perennate.drift.verdicts.faults import (
    OUT_OF_RANGE,
    DataFault,
    FaultTests,
    fault_signal,
    fault_tests,
    found_faults,
)
from perennate.drift.verdicts.persistence import HYSTERESIS, Signal
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


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    Args:
        verdict: Drifted if enough features and outputs drifted; else the worst of their verdicts, at most Warning;
            Unknown only if all are unknown.
        features: results of features and outputs, worst first.
        faults: data faults, largest first.
        rows: rows of the window.
        signal: input of the drift alarm.
        fault_signal: input of the data-fault alarm.
        reason: the verdict in words, for messages.
        target: result of the true values; None if they are unknown. It is tested on its own at the whole significance
            and counts for nothing else.
    """

    verdict: DriftVerdict
    features: tuple[FeatureResult, ...]
    faults: tuple[DataFault, ...]
    rows: int
    signal: Signal
    fault_signal: Signal
    reason: str
    target: FeatureResult | None = None

    @property
    def blocking_faults(self) -> tuple[DataFault, ...]:
        """The faults to correct before the verdict on drift is of use.

        These are all, with one exception: if the model drifted and all faults are values out of range, there is none. A
        season that was not in the training data leaves the range too: that is drift, and not a fault of the data.
        """
        only_range = all(fault.check == OUT_OF_RANGE for fault in self.faults)
        return () if self.verdict is DriftVerdict.DRIFTED and only_range else self.faults


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
    compared = _compare(sample, tables, chosen)
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
    compared_features, near = len(features), _near_drift(features)
    features += unknown_results(reference.names, tables.current_rows, thresholds, np.flatnonzero(~chosen & whole))
    required = needed_features(quorum, compared_features)
    verdict = _verdict(features, required)
    return Evaluation(
        verdict=verdict,
        features=tuple(features),
        faults=found_faults(sample.layout, total, checks, faulty),
        rows=rows,
        signal=_signal(verdict, near, required),
        fault_signal=fault_signal(checks, faulty),
        reason=_reason(verdict, features, required),
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


def _compare(sample: Sample, tables: Tables, chosen: Bools) -> Comparison:
    """Compare the chosen tables, (tables,)."""
    known = tables.only(chosen)
    merged = merge_sparse(known)
    return Comparison(sample.reference, chosen, known, merged, estimate_design_effects(merged), sample.total)


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


def _near_drift(features: list[FeatureResult]) -> int:
    """Number of features with a significant change of at least 80 % of the drift threshold."""
    none = DriftVerdict.NONE
    return sum(item.verdict is not none and item.effect >= HYSTERESIS * item.threshold for item in features)


def _verdict(features: list[FeatureResult], required: int) -> DriftVerdict:
    """The verdict of the model, which drifts if `required` features do; `features` are worst first."""
    worst = features[0].verdict
    if worst is DriftVerdict.DRIFTED and sum(item.verdict is worst for item in features) < required:
        return DriftVerdict.WARNING
    return worst


def _signal(verdict: DriftVerdict, near: int, required: int) -> Signal:
    """The signal for the drift alarm: raised by drift, lowered if fewer than `required` features are near drift."""
    if verdict is DriftVerdict.DRIFTED:
        return Signal.RAISED
    return Signal.BETWEEN if near >= required else Signal.LOWERED


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


def _reason(verdict: DriftVerdict, features: list[FeatureResult], required: int) -> str:
    """The verdict in words, with the features that caused it."""
    if verdict is DriftVerdict.NONE:
        return "no significant change"
    named = [item for item in features if item.verdict is features[0].verdict]
    shown = ", ".join(f"{item.name} ({EFFECTS[item.method].label} {item.effect:.2f})" for item in named[:3])
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    few = "" if features[0].verdict is verdict else f"{len(named)} of the {required} drifted features that are needed: "
    return f"{verdict.value.lower()}: {few}{shown}{more}"
