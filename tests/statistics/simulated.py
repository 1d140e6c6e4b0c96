"""Simulated windows from known distributions: their tables and the results of the tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from perennate.drift.statistics.merging import merge_sparse
from perennate.drift.statistics.moments import BucketMoments
from perennate.drift.statistics.overdispersion import estimate_design_effects
from perennate.drift.statistics.psi import PsiGroups, stability_index
from perennate.drift.statistics.shape import Shape
from perennate.drift.statistics.tables import ReferenceCounts, Tables
from perennate.drift.statistics.union import DETECTORS, union

REFERENCE_ROWS = 10_000

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def shares_of(cells: int, *, shift: float = 0.0, scale: float = 1.0, spike: float = 0.0) -> Floats:
    """Cell shares of a shifted and scaled normal distribution, plus a spike; cells of N(0, 1) have equal shares."""
    borders = norm.ppf(np.arange(1, cells) / cells)
    shares = np.diff(norm.cdf(np.concatenate(([-np.inf], (borders - shift) / scale, [np.inf]))))
    shares = (1 - spike) * shares
    # The cell of the spike matters to the Kolmogorov-Smirnov test only.
    shares[3 * cells // 5] += spike
    return shares


def tables_of(reference: npt.ArrayLike, parts: npt.ArrayLike) -> Tables:
    """Tables of several windows; the shapes are (windows, cells) and (sub-windows, windows, cells)."""
    known, split = np.asarray(reference, dtype=np.float64), np.asarray(parts, dtype=np.float64)
    windows, cells = known.shape
    shape = Shape.of(np.full(windows, cells), np.ones(windows, dtype=np.bool_))
    flat, counts = known.ravel(), split.reshape(-1, known.size)
    current = counts.sum(axis=0)
    return Tables(ReferenceCounts(shape, flat), current, shape.sum(current), BucketMoments.of(counts, shape))


def independent_tables(draw: np.random.Generator, windows: int, rows: int, shares: Floats) -> Tables:
    """Windows of independent rows with these shares, each with its own training rows."""
    even = np.full(shares.size, 1 / shares.size)
    return tables_of(draw.multinomial(REFERENCE_ROWS, even, size=windows), draw.multinomial(rows, shares, (1, windows)))


def clustered_tables(
    draw: np.random.Generator, windows: int, rows: int, cluster: int, *, shift: float = 0.0, parts: int = 12
) -> Tables:
    """Windows of clusters of near-identical rows; each cluster lies in one sub-window."""
    cells = 20
    borders = norm.ppf(np.arange(1, cells) / cells)
    centres = draw.normal(size=(windows, rows // cluster, 1)) + shift
    noise = 0.05 * draw.normal(size=(windows, rows // cluster, cluster)) if cluster > 1 else 0.0
    found = np.searchsorted(borders, centres + noise)
    positions = draw.integers(0, parts, (windows, rows // cluster, 1))
    index = (positions * windows + np.arange(windows)[:, None, None]) * cells + found
    counts = np.bincount(index.ravel(), minlength=parts * windows * cells).reshape(parts, windows, cells)
    return tables_of(draw.multinomial(REFERENCE_ROWS, np.full(cells, 1 / cells), size=windows), counts)


def p_values(tables: Tables) -> dict[str, Floats]:
    """P-values of every test and of their union, each of shape (windows,)."""
    merged = merge_sparse(tables)
    design_effects = estimate_design_effects(merged)
    found = {name: detect(merged, design_effects) for name, detect in DETECTORS.items()}
    return found | {"union": union(merged, design_effects)}


def stability(tables: Tables) -> tuple[Floats, Floats]:
    """PSI and PSI* over all cells, each of shape (windows,)."""
    design_effects = estimate_design_effects(merge_sparse(tables)).cells
    return stability_index(
        tables, PsiGroups.of(tables.reference_counts, np.arange(tables.shape.owner.size)), design_effects
    )
