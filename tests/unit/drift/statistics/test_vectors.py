"""Every statistic has values that were computed independently."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from perennate.drift.statistics.holm import holm
from perennate.drift.statistics.kolmogorov import distance, kolmogorov_smirnov
from perennate.drift.statistics.merging import merge_sparse
from perennate.drift.statistics.overdispersion import estimate_design_effects
from perennate.drift.statistics.pearson import pearson, statistic
from perennate.drift.statistics.psi import PsiGroups, stability_index
from perennate.drift.statistics.residual import binomial_above, largest_residual
from perennate.drift.statistics.union import union
from tests.support.drift.makers import generator, make_tables

REFERENCE = [1000.0] * 10
WINDOW = [30.0, 40, 45, 50, 50, 50, 55, 55, 60, 65]
PARTS = np.array([[40.0, 30, 20, 10], [10, 20, 30, 40], [25, 25, 25, 25]])


def test_p_values_of_the_known_window() -> None:
    tables = merge_sparse(make_tables(REFERENCE, WINDOW))
    design_effects = estimate_design_effects(tables)

    assert statistic(tables)[0] == pytest.approx(17.2285, abs=5e-5)
    assert pearson(tables, design_effects)[0] == pytest.approx(0.045255, abs=5e-7)
    assert distance(tables)[0] == pytest.approx(0.07, abs=1e-12)
    assert kolmogorov_smirnov(tables, design_effects)[0] == pytest.approx(0.018807, abs=5e-7)
    assert largest_residual(tables, design_effects)[0] == pytest.approx(0.039091, abs=5e-7)
    assert union(tables, design_effects)[0] == pytest.approx(0.056421, abs=5e-7)


def test_stability_index_of_the_known_window() -> None:
    """PSI* is PSI minus (k - 1)(1/N + 1/M)."""
    tables = make_tables(REFERENCE, WINDOW)
    index, effect = stability_index(tables, PsiGroups.of(tables.reference_counts, np.arange(10)), np.ones(1))

    assert index[0] == pytest.approx(0.038544, abs=5e-7)
    assert effect[0] == pytest.approx(0.019644, abs=5e-7)


def test_dispersion_of_the_known_sub_windows() -> None:
    """Q = 40 with 6 degrees of freedom gives a design effect of 6.667, and 13.333 for cumulative counts."""
    design_effects = estimate_design_effects(make_tables([1000.0] * 4, parts=PARTS))

    assert design_effects.degrees_of_freedom[0] == 6
    assert design_effects.cells[0] == pytest.approx(40 / 6)
    assert design_effects.cumulative[0] == pytest.approx(13.3333, abs=5e-5)


def test_dispersion_of_independent_rows_is_one() -> None:
    """Without significant variation between sub-windows, the design effect is exactly 1."""
    parts = generator(3).multinomial(100, np.full(8, 1 / 8), size=12)
    design_effects = estimate_design_effects(make_tables([500.0] * 8, parts=parts))

    assert design_effects.cells[0] == 1
    assert design_effects.cumulative[0] == 1


def test_dispersion_ignores_empty_sub_windows_and_cells() -> None:
    padded = np.zeros((5, 6))
    padded[:3, :4] = PARTS
    plain, filled = (
        estimate_design_effects(make_tables([1000.0] * 4, parts=PARTS)),
        estimate_design_effects(make_tables([1000.0] * 6, parts=padded)),
    )

    assert filled.cells == pytest.approx(plain.cells)
    assert filled.cumulative == pytest.approx(plain.cumulative)
    assert filled.degrees_of_freedom == plain.degrees_of_freedom


def test_pearson_equals_scipy() -> None:
    """The statistic and p-value are those of a 2 x k contingency table."""
    draw = generator(5)
    reference, window = draw.integers(50, 200, 7).astype(float), draw.integers(5, 30, 7).astype(float)
    tables = make_tables(reference, window)
    known = stats.chi2_contingency(np.stack((reference, window)), correction=False)

    assert statistic(tables)[0] == pytest.approx(known.statistic)
    assert pearson(tables, estimate_design_effects(tables))[0] == pytest.approx(known.pvalue)


def test_pearson_of_dependent_rows_uses_f() -> None:
    """With a design effect phi above 1, X2 / (phi (B - 1)) is compared with F(B - 1, d)."""
    tables = make_tables([1000.0, 2000, 3000, 4000], parts=PARTS)
    design_effects = estimate_design_effects(tables)
    wanted = stats.f.sf(statistic(tables)[0] / (3 * design_effects.cells[0]), 3, 6)

    assert pearson(tables, design_effects)[0] == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("hits", "rows", "share"), [(0, 10, 0.3), (3, 10, 0.3), (10, 10, 0.3), (1, 1, 0.9), (0, 0, 0.5)]
)
def test_binomial_tail_equals_scipy(hits: int, rows: int, share: float) -> None:
    arguments = np.array(float(hits)), np.array(float(rows)), np.array(share)

    assert binomial_above(*arguments) == pytest.approx(stats.binom.sf(hits - 1, rows, share))


def test_missing_rate_of_the_known_fault() -> None:
    """20 of 10,000 rows against 25 of 1,000: p = 4.7e-15."""
    p = binomial_above(np.array(25.0), np.array(45.0), np.array(1000 / 11_000))

    assert p == pytest.approx(4.7e-15, rel=0.02)


def test_kolmogorov_smirnov_is_skipped_for_categories() -> None:
    """Cells without an order have no cumulative shares; the correction factor stays three."""
    tables = make_tables(REFERENCE, WINDOW, ordered=False)
    design_effects = estimate_design_effects(tables)

    assert kolmogorov_smirnov(tables, design_effects)[0] == 1
    assert union(tables, design_effects)[0] == pytest.approx(3 * 0.039091, abs=5e-6)


MERGES = {
    "nothing to merge": ([100.0, 100, 100], [10.0, 10, 10], [10.0, 10, 10]),
    "a sparse first cell is merged with the next": ([1.0, 500, 500], [0.0, 50, 50], [50.0, 50]),
    "a sparse last cell is merged with the group before": ([500.0, 500, 1], [50.0, 50, 0], [50.0, 50]),
    "several sparse cells are merged into one": ([4.0, 4, 4, 988], [0.0, 1, 0, 99], [1.0, 99]),
    "everything is sparse": ([1.0, 1, 1], [0.0, 1, 0], [1.0]),
}


@pytest.mark.parametrize(("reference", "window", "wanted"), MERGES.values(), ids=MERGES)
def test_sparse_cells_are_merged(reference: list[float], window: list[float], wanted: list[float]) -> None:
    """Cells are merged from left to right until one row is expected; the rest is merged with the last group."""
    merged = merge_sparse(make_tables(reference, window))

    assert merged.current.tolist() == wanted
    assert merged.reference.sum() == sum(reference)


def test_one_cell_gives_a_p_value_of_one() -> None:
    """With fewer than two cells there is nothing to test."""
    tables = merge_sparse(make_tables([5.0, 5], [1.0, 0]))

    assert union(tables, estimate_design_effects(tables))[0] == 1


def test_holm_stops_at_the_first_failure() -> None:
    """Sorted p-values are compared with alpha/m, alpha/(m-1) and so on."""
    assert holm(np.array([0.04, 0.001, 0.03, 0.012]), 0.05).tolist() == [False, True, False, True]
    assert holm(np.array([0.02, 0.02, 0.02]), 0.05).tolist() == [False, False, False]
    assert holm(np.zeros(0), 0.05).tolist() == []
