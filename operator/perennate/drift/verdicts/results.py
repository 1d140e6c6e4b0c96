"""Results of single features, and their order."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import repeat
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.verdicts.effects import Comparison, EffectSizes
from perennate.drift.verdicts.hints import change_hint, part_hint, target_hint
from perennate.drift.verdicts.rules import Thresholds


class DriftVerdict(StrEnum):
    """The verdict of a feature, or of the model."""

    NONE = "None"
    """No significant change."""
    CHANGED = "Changed"
    """A significant change below the warning threshold."""
    WARNING = "Warning"
    """A significant change of at least the warning threshold; for a model also drift of too few features."""
    DRIFTED = "Drifted"
    """A significant change of at least the drift threshold."""
    UNKNOWN = "Unknown"
    """Too few rows or too little observed time; this does not mean that there is no drift."""


LEVELS = (DriftVerdict.NONE, DriftVerdict.CHANGED, DriftVerdict.WARNING, DriftVerdict.DRIFTED)
"""All verdicts but UNKNOWN, best first."""
NOTHING: Mapping[str, float] = MappingProxyType({})


class FeatureResult(NamedTuple):
    """The result of one feature or output.

    Args:
        name: name of the feature; "score" and "prediction" are the outputs.
        verdict: the verdict.
        p: p-value of the union test, before Holm's correction.
        psi, psi_star: population stability index, and the index less its expectation without drift.
        design_effect: 1 for independent rows.
        method: name of the effect in `EFFECTS`.
        effect: size of the change by that method.
        rows: rows of the window with a value.
        threshold: effect from which a significant change is drift.
        warning: effect from which a significant change is a warning.
        hint: the change in words; empty without a significant change.
        statistics: every applicable effect by method; empty if the verdict is Unknown.
        subject: what the verdict is about, if it is not the distribution of all values: "values other than 0" or
            "share of missing values".
    """

    name: str
    verdict: DriftVerdict
    p: float
    psi: float
    psi_star: float
    design_effect: float
    method: str
    effect: float
    rows: int
    threshold: float
    warning: float
    hint: str
    statistics: Mapping[str, float]
    subject: str = ""


def unknown_results(
    names: tuple[str, ...], rows: Floats, thresholds: Thresholds, positions: Ints
) -> list[FeatureResult]:
    """Results of the tables at `positions`, which have too few rows."""
    return [
        FeatureResult(
            name=names[index],
            verdict=DriftVerdict.UNKNOWN,
            p=1.0,
            psi=0.0,
            psi_star=0.0,
            design_effect=1.0,
            method=thresholds.methods[index],
            effect=0.0,
            rows=int(rows[index]),
            threshold=float(thresholds.drifted[index]),
            warning=float(thresholds.warning[index]),
            hint="",
            statistics=NOTHING,
        )
        for index in positions
    ]


def compared_results(
    compared: Comparison, thresholds: Thresholds, p: Floats, effects: Floats, levels: Ints
) -> list[FeatureResult]:
    """Results of the compared tables, in their order.

    Args:
        compared: the tables.
        thresholds: of all tables of the profile.
        p: p-values, (tables,).
        effects: effect of each table by its method, (tables,).
        levels: positions in LEVELS, (tables,).
    """
    reference, drifted = compared.reference, compared.of_compared(thresholds.drifted)
    positions, (psi, psi_star) = compared.positions, compared.stability
    hints = [""] * len(positions)
    for position in levels.nonzero()[0].tolist():
        hints[position] = _hint(compared, position, positions[position])
    columns = (
        map(reference.names.__getitem__, positions),
        map(LEVELS.__getitem__, levels.tolist()),
        p.tolist(),
        psi.tolist(),
        psi_star.tolist(),
        compared.design_effects.cells.tolist(),
        map(thresholds.methods.__getitem__, positions),
        effects.tolist(),
        compared.tables.current_rows.astype(np.int64).tolist(),
        drifted.tolist(),
        compared.of_compared(thresholds.warning).tolist(),
        hints,
        map(EffectSizes, repeat(compared), range(len(positions))),
        map(reference.subjects.__getitem__, positions),
    )
    return list(map(FeatureResult._make, zip(*columns, strict=True)))


def is_worse(one: FeatureResult, other: FeatureResult) -> bool:
    """Whether one result of a feature has a worse verdict than another, or the same and a larger effect."""
    levels = LEVELS.index(one.verdict), LEVELS.index(other.verdict)
    if levels[0] != levels[1]:
        return levels[0] > levels[1]
    return levels[0] > 0 and one.effect / one.threshold > other.effect / other.threshold


def worst_by_feature(
    compared: Comparison, results: list[FeatureResult], falls: dict[int, FeatureResult]
) -> dict[int, FeatureResult]:
    """The worst result of each compared feature and output, by its position.

    Args:
        compared: the compared tables.
        results: their results.
        falls: results of features whose values are missing less often, by position.
    """
    reference = compared.reference
    found = {
        at: item for at, item in zip(compared.positions, results, strict=True) if at < reference.inputs_and_outputs
    }
    first_part = len(reference.names) - reference.part_of.size
    parts = [
        (int(reference.part_of[at - first_part]), item)
        for at, item in zip(compared.positions, results, strict=True)
        if at >= first_part
    ]
    for position, result in (*parts, *falls.items()):
        if position in found and is_worse(result, found[position]):
            found[position] = result
    return found


def worst_first(results: list[FeatureResult], importance: Floats) -> list[FeatureResult]:
    """Sort results by verdict, importance, and effect relative to its threshold.

    Args:
        results: none is Unknown.
        importance: importance of each feature in the model, (results,).
    """
    levels = np.array([-LEVELS.index(result.verdict) for result in results])
    ratios = np.array([result.effect / -result.threshold for result in results])
    return [results[position] for position in np.lexsort((ratios, -importance, levels)).tolist()]


def _hint(compared: Comparison, position: int, index: int) -> str:
    tables, reference = compared.tables, compared.reference
    cells = tables.shape.cells_of(position)
    before = tables.reference[cells] / tables.reference_rows[position]
    after = tables.current[cells] / tables.current_rows[position]
    if reference.subjects[index]:
        return part_hint(reference.names[index], reference.subjects[index], before, after)
    shift = float(compared.shifts[position])
    if index == reference.target:
        return target_hint(reference.layout.profile.target, before, after)
    return change_hint(reference.layout, index, before, after, shift)
