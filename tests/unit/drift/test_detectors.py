"""What every detector promises, whatever it computes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.merging import merge_sparse
from perennate.drift.overdispersion import dispersion
from perennate.drift.psi import stability_index
from perennate.drift.union import DETECTORS, Detector
from tests.unit.drift.makers import make_tables

COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=12)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[list[float], list[list[float]]]:
    """Counts of a reference and of some sub-windows, with at least one row on both sides."""
    width = draw(st.integers(2, 12))
    reference = draw(st.lists(st.integers(0, 500), min_size=width, max_size=width))
    parts = draw(st.lists(st.lists(st.integers(0, 60), min_size=width, max_size=width), min_size=1, max_size=5))
    reference[0] += 1
    parts[0][-1] += 1
    return [float(count) for count in reference], [[float(count) for count in part] for part in parts]


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
@given(pair=pairs())
@settings(max_examples=60, deadline=None)
def test_detectors_give_probabilities(detector: Detector, pair: tuple[list[float], list[list[float]]]) -> None:
    """A p-value is a number from 0 to 1, the same when asked twice, and the counts are left as they were."""
    tables = merge_sparse(make_tables(pair[0], parts=pair[1]))
    spread = dispersion(tables)
    before = tables.reference.copy(), tables.current.copy(), tables.parts.copy()
    p = detector(tables, spread)

    assert np.all((p >= 0) & (p <= 1))
    assert np.array_equal(p, detector(tables, spread))
    assert all(
        np.array_equal(*both) for both in zip(before, (tables.reference, tables.current, tables.parts), strict=True)
    )


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
@given(pair=pairs(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_detectors_do_not_care_for_the_order_of_sub_windows(
    detector: Detector, pair: tuple[list[float], list[list[float]]], data: st.DataObject
) -> None:
    """Which sub-window came first changes no p-value."""
    shuffled = data.draw(st.permutations(pair[1]))
    found = []
    for parts in (pair[1], shuffled):
        tables = merge_sparse(make_tables(pair[0], parts=parts))
        found.append(detector(tables, dispersion(tables))[0])

    assert found[0] == pytest.approx(found[1], rel=1e-9)


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
def test_detectors_find_nothing_in_the_reference_itself(detector: Detector) -> None:
    """A window with the very shares of the reference is no change."""
    tables = merge_sparse(make_tables([100.0, 200, 300, 400], [10.0, 20, 30, 40]))

    assert detector(tables, dispersion(tables))[0] > 0.99


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
def test_padding_changes_nothing(detector: Detector) -> None:
    """A table gives the same p-value alone and beside a wider one."""
    alone = make_tables([100.0, 200, 300], [30.0, 20, 10])
    together = make_tables([[100, 200, 300, 0, 0], [50] * 5], [[30, 20, 10, 0, 0], [5] * 5])
    together.cells[:] = 3, 5
    found = [detector(tables, dispersion(tables))[0] for tables in map(merge_sparse, (alone, together))]

    assert found[0] == pytest.approx(found[1], rel=1e-12)


@given(pair=pairs())
@settings(max_examples=60, deadline=None)
def test_stability_index_is_finite(pair: tuple[list[float], list[list[float]]]) -> None:
    """PSI is a number from 0, also with empty cells on either side."""
    tables = make_tables(pair[0], parts=pair[1])
    index, effect = stability_index(tables, np.arange(len(pair[0]))[None], np.ones(1))

    assert np.isfinite(index[0])
    assert index[0] >= 0
    assert effect[0] <= index[0]
