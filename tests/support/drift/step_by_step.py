"""Reference implementation of the tests for one feature: step by step, slow and easy to verify.

The package computes all features of a model at once from cached sums. Its p-values are compared with these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Steps:
    """The results of the steps."""

    design_effect: float
    cumulative_design_effect: float
    pearson: float
    kolmogorov: float
    residual: float

    @property
    def union(self) -> float:
        """Three times the smallest p-value, at most 1."""
        return min(1.0, 3 * min(self.pearson, self.kolmogorov, self.residual))


def one_feature(reference: list[float], parts: list[list[float]], *, ordered: bool = True) -> Steps:
    """The results of all steps for one feature, from the counts of the reference and of every sub-window."""
    groups = _merge(np.array(reference), np.array(parts).sum(axis=0))
    known = np.array([sum(reference[cell] for cell in group) for group in groups])
    split = np.array([[sum(part[cell] for cell in group) for group in groups] for part in parts])
    seen = split.sum(axis=0)
    if len(groups) < 2:
        return Steps(1.0, 1.0, 1.0, 1.0, 1.0)
    design_effect, cumulative_design_effect, freedom = _overdispersion(split)
    rows, window_rows, cells = known.sum(), seen.sum(), len(groups)
    x2 = sum(
        (c * np.sqrt(rows / window_rows) - r * np.sqrt(window_rows / rows)) ** 2 / (r + c)
        for r, c in zip(known, seen, strict=True)
    )
    pearson = (
        stats.chi2.sf(x2, cells - 1)
        if design_effect == 1
        else stats.f.sf(x2 / ((cells - 1) * design_effect), cells - 1, freedom)
    )
    distance = max(abs(np.cumsum(known) / rows - np.cumsum(seen) / window_rows))
    effective = window_rows / cumulative_design_effect
    kolmogorov = stats.kstwobign.sf(distance * np.sqrt(rows * effective / (rows + effective))) if ordered else 1.0
    share, tails = effective / (rows + effective), []
    for r, c in zip(known, np.floor(seen / cumulative_design_effect + 0.5), strict=True):
        tails.append(min(stats.binom.cdf(c, r + c, share), stats.binom.sf(c - 1, r + c, share)))
    residual = min(1.0, cells * min(1.0, 2 * min(tails)))
    return Steps(design_effect, cumulative_design_effect, float(pearson), float(kolmogorov), residual)


def _merge(reference: np.ndarray, current: np.ndarray) -> list[list[int]]:
    """The cells of each group, merged until one row is expected on both sides; the rest is merged with the last one."""
    share = current.sum() / (reference.sum() + current.sum())
    groups: list[list[int]] = []
    group, held = [], 0.0
    for cell, expected in enumerate(min(share, 1 - share) * (reference + current)):
        group.append(cell)
        held += expected
        if held >= 1:
            groups.append(group)
            group, held = [], 0.0
    if group:
        if groups:
            groups[-1] += group
        else:
            groups.append(group)
    return groups


def _overdispersion(parts: np.ndarray) -> tuple[float, float, float]:
    """The design effect, that of the cumulative counts, and the degrees of freedom."""
    parts = parts[parts.sum(axis=1) > 0]
    parts = parts[:, parts.sum(axis=0) > 0]
    count, cells = parts.shape
    freedom = float((count - 1) * (cells - 1))
    if freedom == 0:
        return 1.0, 1.0, 0.0
    total, rows = parts.sum(axis=0), parts.sum(axis=1, keepdims=True)
    expected = rows * total / total.sum()
    q = ((parts - expected) ** 2 / expected).sum()
    if stats.chi2.sf(q, freedom) >= 0.01:
        return 1.0, 1.0, freedom
    design_effect = max(1.0, q / freedom)
    shares = np.cumsum(total)[:-1] / total.sum()
    squares = ((np.cumsum(parts, axis=1)[:, :-1] - rows * shares) ** 2 / (rows * shares * (1 - shares))).sum(axis=0)
    inner = squares[(shares > 0.02) & (shares < 0.98)] / (count - 1)
    return design_effect, max([design_effect, *([inner.mean()] if inner.size else [])]), freedom
