"""What is said of one feature, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import repeat
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.verdicts.effects import Comparison, EffectSizes
from perennate.drift.verdicts.hints import change_hint
from perennate.drift.verdicts.rules import Thresholds


class DriftVerdict(StrEnum):
    """What an evaluation says of a feature, or of the model."""

    NONE = "None"
    """No significant change."""
    CHANGED = "Changed"
    """A significant change too small to matter."""
    WARNING = "Warning"
    """A significant change of at least the warning level; of a model also drift of too few features."""
    DRIFTED = "Drifted"
    """A significant change of at least the drift level."""
    UNKNOWN = "Unknown"
    """Too few rows or too little time to tell, which is not "no drift"."""


LEVELS = (DriftVerdict.NONE, DriftVerdict.CHANGED, DriftVerdict.WARNING, DriftVerdict.DRIFTED)
"""Of what could be judged, best first."""
NOTHING: Mapping[str, float] = MappingProxyType({})


class FeatureResult(NamedTuple):
    """What was found of one feature, or of what the model answers.

    A tuple, because it is made for every feature of every model every few minutes, and most are never looked at.

    Args:
        name: of the feature; "score" and "prediction" are the model's output.
        verdict: what is said of it.
        p: of the union test, before Holm's correction.
        psi, psi_star: population stability index, and less what chance alone gives.
        phi: design effect: 1 for independent rows.
        method: the effect that it is judged by.
        effect: how large that is.
        rows: rows of the window that had a value.
        threshold: effect from which a significant change is drift.
        warning: effect from which it is a warning.
        hint: what changed, in words; empty if nothing did.
        statistics: every effect that applies, by method; empty if it is unknown.
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


def unknown_results(names: tuple[str, ...], rows: Floats, thresholds: Thresholds, places: Ints) -> list[FeatureResult]:
    """Results of the tables at `places` that had too few rows."""
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
        for index in places
    ]


def compared_results(
    compared: Comparison, thresholds: Thresholds, p: Floats, effects: Floats, levels: Ints
) -> list[FeatureResult]:
    """Results of the compared tables, worst first: by verdict, by importance, by how far the effect goes.

    Args:
        compared: the tables.
        thresholds: of all tables of the profile.
        p: p-values, (tables,).
        effects: by the method of each, (tables,).
        levels: positions in LEVELS, (tables,).
    """
    reference, drifted = compared.reference, compared.of_compared(thresholds.drifted)
    order = np.lexsort((effects / -drifted, -compared.of_compared(reference.importance), -levels)).tolist()
    places, (psi, psi_star) = compared.places, compared.stability
    hints = [""] * len(places)
    for place in levels.nonzero()[0].tolist():
        hints[place] = _hint(compared, place, places[place])
    columns = (
        map(reference.names.__getitem__, places),
        map(LEVELS.__getitem__, levels.tolist()),
        p.tolist(),
        psi.tolist(),
        psi_star.tolist(),
        compared.design_effects.cells.tolist(),
        map(thresholds.methods.__getitem__, places),
        effects.tolist(),
        compared.tables.current_rows.astype(np.int64).tolist(),
        drifted.tolist(),
        compared.of_compared(thresholds.warning).tolist(),
        hints,
        map(EffectSizes, repeat(compared), range(len(places))),
    )
    results = list(map(FeatureResult._make, zip(*columns, strict=True)))
    return [results[place] for place in order]


def _hint(compared: Comparison, place: int, index: int) -> str:
    tables = compared.tables
    cells = tables.shape.cells_of(place)
    reference = tables.reference[cells] / tables.reference_rows[place]
    current = tables.current[cells] / tables.current_rows[place]
    return change_hint(compared.reference.layout, index, reference, current, float(compared.shifts[place]))
