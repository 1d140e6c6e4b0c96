"""Properties of every detector and every effect."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.profile.features import NumericFeature
from perennate.drift.profile.layout import Layout
from perennate.drift.statistics.merging import merge_sparse
from perennate.drift.statistics.overdispersion import estimate_design_effects
from perennate.drift.statistics.tables import Tables
from perennate.drift.statistics.union import DETECTORS, Detector, union
from perennate.drift.verdicts.effects import EFFECTS, Comparison
from perennate.drift.verdicts.results import DriftVerdict
from perennate.drift.verdicts.rules import FeatureRule
from perennate.drift.verdicts.verdict import evaluate_drift
from perennate.drift.windows.reference import ReferenceTables
from perennate.drift.windows.sub_windows import SubWindowSums
from tests.support.drift.makers import make_columns, make_profile, make_ragged, make_sample, make_tables
from tests.support.drift.step_by_step import one_feature

Pair = tuple[list[float], list[list[float]]]
PROFILE = make_profile(rows=2000)
REFERENCE = ReferenceTables(Layout(PROFILE))
RARE = st.sampled_from([0, 0, 0, 1, 2, 7, 60])
"""Counts with many empty and sparse cells, which must be merged."""


@st.composite
def pairs(draw: st.DrawFn, *, parts: int | None = None) -> Pair:
    """Counts of a reference and of several sub-windows, each side with at least one row."""
    width = draw(st.integers(2, 12))
    cell = draw(st.sampled_from([st.integers(0, 60), RARE]))
    reference = draw(st.lists(st.integers(0, 500) | RARE, min_size=width, max_size=width))
    many = draw(st.integers(1, 5)) if parts is None else parts
    split = draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=many, max_size=many))
    reference[0] += 1
    split[0][-1] += 1
    return [float(count) for count in reference], [[float(count) for count in part] for part in split]


@given(pair=pairs(), ordered=st.booleans())
@settings(max_examples=300, deadline=None)
def test_detectors_equal_the_reference_implementation(pair: Pair, ordered: bool) -> None:
    """Design effects, all three tests and their union equal the definition, including merged cells."""
    wanted = one_feature(*pair, ordered=ordered)
    tables = merge_sparse(make_tables(pair[0], parts=pair[1], ordered=ordered))
    design_effects = estimate_design_effects(tables)

    assert union(tables, design_effects)[0] == pytest.approx(wanted.union, rel=1e-6, abs=1e-15)
    if tables.shape.sizes[0] > 1:
        assert design_effects.cells[0] == pytest.approx(wanted.design_effect)
        assert design_effects.cumulative[0] == pytest.approx(wanted.cumulative_design_effect)
        found = {name: float(detector(tables, design_effects)[0]) for name, detector in DETECTORS.items()}
        assert list(found.values()) == pytest.approx(
            [wanted.pearson, wanted.kolmogorov, wanted.residual], rel=1e-6, abs=1e-15
        )


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
@given(pair=pairs())
@settings(max_examples=60, deadline=None)
def test_detectors_are_pure_and_return_p_values(detector: Detector, pair: Pair) -> None:
    """A p-value is from 0 to 1 and the same on every call, and the counts are not changed."""
    tables = merge_sparse(make_tables(pair[0], parts=pair[1]))
    design_effects = estimate_design_effects(tables)
    before = _content(tables)
    p = detector(tables, design_effects)

    assert np.all((p >= 0) & (p <= 1))
    assert np.array_equal(p, detector(tables, design_effects))
    assert all(np.array_equal(*both) for both in zip(before, _content(tables), strict=True))


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
@given(pair=pairs(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_detectors_do_not_depend_on_the_order_of_sub_windows(
    detector: Detector, pair: Pair, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(pair[1]))
    found = []
    for parts in (pair[1], shuffled):
        tables = merge_sparse(make_tables(pair[0], parts=parts))
        found.append(detector(tables, estimate_design_effects(tables))[0])

    assert found[0] == pytest.approx(found[1], rel=1e-9)


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
def test_detectors_find_nothing_in_the_reference_itself(detector: Detector) -> None:
    tables = merge_sparse(make_tables([100.0, 200, 300, 400], [10.0, 20, 30, 40]))

    assert detector(tables, estimate_design_effects(tables))[0] > 0.99


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
@given(first=pairs(parts=3), second=pairs(parts=3))
@settings(max_examples=60, deadline=None)
def test_tables_are_independent(detector: Detector, first: Pair, second: Pair) -> None:
    """A table gives the same p-value alone and beside others, whichever cells are merged."""
    alone = [merge_sparse(make_ragged(pair)) for pair in (first, second)]
    together = merge_sparse(make_ragged(first, second))
    wanted = [detector(tables, estimate_design_effects(tables))[0] for tables in alone]

    assert detector(together, estimate_design_effects(together)) == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
def test_a_subset_of_the_tables_gives_the_same_p_values(detector: Detector) -> None:
    """This also holds if cells of sub-windows were merged."""
    pair = [1.0, 900, 90, 9, 0], [[0.0, 90, 20, 1, 1], [1.0, 150, 0, 0, 1], [0.0, 10, 40, 0, 0]]
    other = [10.0, 20.0], [[4.0, 4.0], [1.0, 9.0], [5.0, 5.0]]
    alone = merge_sparse(make_ragged(pair))
    chosen = merge_sparse(make_ragged(other, pair, other).only(np.array([False, True, False])))

    assert detector(chosen, estimate_design_effects(chosen)) == pytest.approx(
        detector(alone, estimate_design_effects(alone)), rel=1e-9
    )


def _content(tables: Tables) -> list[np.ndarray]:
    parts = tables.bucket_moments
    return [array.copy() for array in (tables.reference, tables.current, parts.moments.squares, parts.cumulative())]


def compare(cells: list[int], *, parts: int = 1) -> Comparison:
    """A window with these counts in all cells of the layout of PROFILE, split into sub-windows."""
    counts = np.resize(np.array(cells, dtype=np.int64), REFERENCE.layout.size)
    return compare_parts(np.array([counts // parts + (slot < counts % parts) for slot in range(parts)]))


def compare_parts(counts: np.ndarray) -> Comparison:
    """A window with these counts in its sub-windows, as an array of shape (sub-windows, cells of the layout)."""
    found = SubWindowSums(REFERENCE).of(dict(enumerate(counts)))
    tables = REFERENCE.tables(found.total, found.bucket_moments)
    chosen = tables.current_rows > 0
    known = tables.only(chosen)
    merged = merge_sparse(known)
    return Comparison(REFERENCE, chosen, known, merged, estimate_design_effects(merged), found.total)


CELLS = st.lists(st.sampled_from([0, 1, 5, 40, 10_000, 2**33]), min_size=1, max_size=60).filter(any)


@pytest.mark.parametrize("method", EFFECTS)
@given(cells=CELLS)
@settings(max_examples=60, deadline=None)
def test_effects_are_finite_bounded_and_pure(method: str, cells: list[int]) -> None:
    """For any counts, an effect is finite, at most its maximum and reproducible; the counts are not changed."""
    compared = compare(cells, parts=3)
    if not compared.chosen.any():
        return
    before = _content(compared.tables), compared.shifts.copy()
    found = EFFECTS[method].measure(compared)

    assert np.isfinite(found).all()
    assert found.shape == (int(compared.chosen.sum()),)
    assert np.all(found <= EFFECTS[method].maximum)
    assert method == "psi" or np.all(found >= 0)
    assert np.array_equal(found, EFFECTS[method].measure(compared))
    assert all(np.array_equal(*both) for both in zip(before[0], _content(compared.tables), strict=True))
    assert np.array_equal(before[1], compared.shifts)


@pytest.mark.parametrize("method", EFFECTS)
@pytest.mark.parametrize("rows", [499, 500])
def test_a_feature_with_too_few_rows_is_unknown(method: str, rows: int) -> None:
    """This holds for every method and for changes of any size."""
    columns = make_columns(1000, seed=3, shift=5.0)
    columns["f0"][rows:] = np.nan
    found = {
        item.name: item
        for item in evaluate_drift(make_sample(PROFILE, columns), rules={"f0": FeatureRule(method)}).features
    }

    assert found["f0"].method == method
    assert found["f0"].verdict is (DriftVerdict.DRIFTED if rows >= 500 else DriftVerdict.UNKNOWN)
    assert bool(found["f0"].statistics) == (rows >= 500)


@pytest.mark.parametrize("method", EFFECTS)
def test_effects_grow_with_the_change(method: str) -> None:
    assert isinstance(PROFILE.features[0], NumericFeature)
    found = []
    for shift in (0.0, 0.3, 0.6, 1.2):
        evaluation = evaluate_drift(make_sample(PROFILE, make_columns(4000, seed=3, shift=shift)))
        found.append(next(item for item in evaluation.features if item.name == "f0").statistics[method])

    assert found == sorted(found)
    assert found[0] < 0.06
    assert found[-1] > 0.3


def test_effects_do_not_depend_on_the_number_of_sub_windows() -> None:
    """This holds for independent rows."""
    columns = make_columns(1200, seed=8, shift=0.5)
    found = [evaluate_drift(make_sample(PROFILE, columns, parts=parts)).features for parts in (1, 4, 12)]

    assert dict(found[0][0].statistics) == pytest.approx(dict(found[1][0].statistics))
    assert dict(found[0][0].statistics) == pytest.approx(dict(found[2][0].statistics))


@pytest.mark.parametrize("function", [*DETECTORS.values(), *(effect.measure for effect in EFFECTS.values())])
def test_every_detector_and_effect_cites_its_source(function: Callable[..., object]) -> None:
    """The docstring of the function contains an author and a year."""
    assert re.search(r"[A-Z][a-z]+.*\b(1[89]|20)\d\d\b", inspect.getdoc(function) or "", re.DOTALL), function


@pytest.mark.parametrize("method", EFFECTS)
@given(cells=st.lists(st.integers(0, 60), min_size=4, max_size=40), order=st.permutations(range(4)))
@settings(max_examples=40, deadline=None)
def test_effects_do_not_depend_on_the_order_of_sub_windows(method: str, cells: list[int], order: list[int]) -> None:
    split = np.resize(np.array([1, *cells], dtype=np.int64), (4, REFERENCE.layout.size))
    found = [compare_parts(split[list(positions)]).effect(method) for positions in (range(4), order)]

    assert found[0] == pytest.approx(found[1], rel=1e-9)
