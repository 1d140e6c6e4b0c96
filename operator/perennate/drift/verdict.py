"""From counts to a verdict: is what the model sees still what it was trained on?

A change counts only if it is both significant (it is no chance) and large (it matters). Significance alone calls
everything drift once there are enough rows; size alone calls chance drift as long as there are few.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from perennate.drift.arrays import Bools, Floats
from perennate.drift.faults import DataFault, FaultTests, fault_tests, found_faults
from perennate.drift.gather import Gather
from perennate.drift.holm import holm
from perennate.drift.merging import merge_sparse
from perennate.drift.overdispersion import dispersion
from perennate.drift.persistence import HYSTERESIS, Signal
from perennate.drift.psi import stability_index
from perennate.drift.tables import Tables
from perennate.drift.union import union
from perennate.drift.window import Sample

ROWS_FLOOR = 100
"""Below so many rows the effect size itself is too noisy, whatever a policy says."""


class Verdict(StrEnum):
    """What an evaluation says of a feature, or of the model."""

    NONE = "None"
    """No significant change."""
    CHANGED = "Changed"
    """A significant change too small to matter."""
    WARNING = "Warning"
    """A significant change of at least the warning level."""
    DRIFTED = "Drifted"
    """A significant change of at least the drift level."""
    UNKNOWN = "Unknown"
    """Too few rows or too little time to tell, which is not "no drift"."""


SEVERITY = (Verdict.DRIFTED, Verdict.WARNING, Verdict.CHANGED, Verdict.NONE, Verdict.UNKNOWN)
"""Worst first."""


@dataclass(frozen=True)
class FeatureResult:
    """What was found of one feature, or of the score.

    Args:
        name: of the feature; "score" is the model's output.
        verdict: what is said of it.
        p: of the union test, before Holm's correction.
        psi, psi_star: population stability index, and less what chance alone gives.
        phi: design effect: 1 for independent rows.
        rows: rows of the window that had a value.
    """

    name: str
    verdict: Verdict
    p: float
    psi: float
    psi_star: float
    phi: float
    rows: int


@dataclass(frozen=True)
class Evaluation:
    """What one look at the window found.

    Args:
        verdict: the worst of all features and the score; Unknown only if nothing could be told of any.
        features: results, worst first.
        faults: data faults, largest first.
        rows: rows of the window.
        signal: what the drift alarm makes of it.
        reason: the verdict in words.
    """

    verdict: Verdict
    features: tuple[FeatureResult, ...]
    faults: tuple[DataFault, ...]
    rows: int
    signal: Signal
    reason: str


def evaluate(
    sample: Sample,
    *,
    min_samples: int = 500,
    significance: float = 0.001,
    warning: float = 0.1,
    drifted: float = 0.2,
) -> Evaluation:
    """Compare a window with its profile.

    Args:
        sample: what the window holds.
        min_samples: rows that a feature must have in the window; never fewer than 100.
        significance: family-wise error rate over all features, the score and the data checks.
        warning: PSI* from which a significant change is a warning.
        drifted: PSI* from which it is drift.
    """
    needed = max(min_samples, ROWS_FLOOR)
    if not sample.warm or sample.rows < needed:
        return _unknown(sample, needed)
    gather = sample.gather
    tables = gather.tables(sample.counts)
    enough = (tables.current_rows >= needed) & (tables.reference_rows > 0)
    checks = fault_tests(sample.layout, sample.total)
    results, rejected, rejected_checks = _test(gather, tables, enough, checks, significance)
    features = tuple(
        FeatureResult(
            name=name,
            verdict=_verdict(bool(known), bool(significant), float(effect), warning, drifted),
            p=float(p),
            psi=float(index),
            psi_star=float(effect),
            phi=float(phi),
            rows=int(rows),
        )
        for name, known, significant, p, index, effect, phi, rows in zip(
            gather.names, enough, rejected, *results, tables.current_rows, strict=True
        )
    )
    ordered = tuple(sorted(features, key=lambda item: (SEVERITY.index(item.verdict), -item.psi_star, item.name)))
    faults = found_faults(sample.layout, checks, rejected_checks)
    verdict = ordered[0].verdict
    signal = _signal(verdict, rejected, features, drifted)
    return Evaluation(verdict, ordered, faults, sample.rows, signal, _reason(verdict, ordered))


def _test(
    gather: Gather, tables: Tables, enough: Bools, checks: FaultTests, significance: float
) -> tuple[tuple[Floats, ...], Bools, Bools]:
    """P, PSI, PSI* and phi of each table, and which tables and data checks Holm rejects."""
    p, index, effect, phi = (np.full(enough.size, value) for value in (1.0, 0.0, 0.0, 1.0))
    if enough.any():
        known = tables.only(enough)
        merged = merge_sparse(known)
        spread = dispersion(merged)
        p[enough], phi[enough] = union(merged, spread), spread.cells
        index[enough], effect[enough] = stability_index(known, gather.deciles[enough], spread.cells)
    family = holm(np.concatenate((p[enough], checks.p.ravel())), significance)
    rejected = np.zeros(enough.size, dtype=np.bool_)
    rejected[enough] = family[: int(enough.sum())]
    return (p, index, effect, phi), rejected, family[int(enough.sum()) :].reshape(checks.p.shape)


def _verdict(known: bool, significant: bool, effect: float, warning: float, drifted: float) -> Verdict:
    """Both gates of one feature."""
    if not known:
        return Verdict.UNKNOWN
    if not significant:
        return Verdict.NONE
    if effect >= drifted:
        return Verdict.DRIFTED
    return Verdict.WARNING if effect >= warning else Verdict.CHANGED


def _signal(verdict: Verdict, rejected: Bools, features: tuple[FeatureResult, ...], drifted: float) -> Signal:
    """What the alarm makes of it: raised by drift, lowered when nothing significant is near it."""
    if verdict is Verdict.UNKNOWN:
        return Signal.UNKNOWN
    if verdict is Verdict.DRIFTED:
        return Signal.RAISED
    near = any(
        significant and feature.psi_star >= HYSTERESIS * drifted
        for significant, feature in zip(rejected, features, strict=True)
    )
    return Signal.BETWEEN if near else Signal.LOWERED


def _unknown(sample: Sample, needed: int) -> Evaluation:
    """Too early to tell."""
    reason = (
        f"{sample.rows} rows in the window, {needed} are needed"
        if sample.rows < needed
        else f"{sample.until - sample.since:.0f} s of the window seen, a verdict waits for a 24th of it"
    )
    return Evaluation(Verdict.UNKNOWN, (), (), sample.rows, Signal.UNKNOWN, reason)


def _reason(verdict: Verdict, ordered: tuple[FeatureResult, ...]) -> str:
    """The verdict in words, with the features that it rests on."""
    if verdict is Verdict.UNKNOWN:
        return "no feature has enough rows with a value"
    if verdict is Verdict.NONE:
        return "no significant change"
    named = [item for item in ordered if item.verdict is verdict]
    shown = ", ".join(f"{item.name} (PSI* {item.psi_star:.2f})" for item in named[:3])
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return f"{verdict.value.lower()}: {shown}{more}"
