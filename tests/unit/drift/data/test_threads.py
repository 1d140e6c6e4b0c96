"""Profiles and counts do not depend on the number of threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from perennate.drift.data.columns import Rows
from perennate.drift.data.errors import ProfileError
from perennate.drift.data.threads import map_in_threads
from perennate.drift.profile.build import build_profile
from perennate.drift.recording.comparisons import CHUNK_ROWS
from perennate.drift.recording.recorder import Recorder
from perennate.drift.recording.validation import validate_counts
from tests.support.drift.makers import Coded, generator, make_recorder

ROWS = 30_000


def columns_of(rows: int = ROWS) -> dict[str, Any]:
    """Columns of every kind. The numbers are whole, so their sums are exact in any order."""
    draw = generator()
    numbers = draw.integers(-50, 50, rows).astype(np.float64)
    return {
        "whole": numbers,
        "gaps": np.where(draw.uniform(size=rows) < 0.1, np.nan, numbers),
        "flag": draw.uniform(size=rows) < 0.3,
        "when": np.datetime64("2026-01-01") + draw.integers(0, 86_400, rows).astype("timedelta64[s]"),
        "mixed": np.array([1.0, None, "text"], dtype=object)[draw.integers(0, 3, rows)],
        "country": np.array(["de", "fr", "it", None], dtype=object)[draw.integers(0, 4, rows)],
    }


@pytest.mark.parametrize("workers", [2, 3, 16])
def test_profile_does_not_depend_on_the_number_of_threads(workers: int) -> None:
    """More threads than columns are allowed."""
    columns = columns_of()
    alone = build_profile(columns, task="regression")

    assert build_profile(columns, task="regression", workers=workers).to_bytes() == alone.to_bytes()


@pytest.mark.parametrize("rows", [0, 1, 255, 256, 257, 8193, ROWS])
@pytest.mark.parametrize("workers", [2, 3, 300])
def test_counts_do_not_depend_on_the_number_of_threads(rows: int, workers: int) -> None:
    """This holds for batches that are small enough to be buffered, and for more threads than needed."""
    profile = build_profile(columns_of() | {"mixed": generator().normal(size=ROWS)}, task="regression")
    alone, together = make_recorder(profile), make_recorder(profile)
    columns = columns_of(rows)

    alone.record(columns)
    together.record(columns, workers=workers)

    assert together.document() == alone.document()


@pytest.mark.parametrize("rows", [255, 8193, ROWS])
@pytest.mark.parametrize("workers", [2, 3, 300])
def test_counts_of_a_matrix_do_not_depend_on_the_number_of_threads(rows: int, workers: int) -> None:
    """This holds for a matrix with exactly the features, for checked rows, and for a matrix with extra columns."""
    names = ["whole", "gaps"]
    columns = columns_of(rows)
    matrix = np.column_stack([columns[name] for name in names])
    profile = build_profile({name: columns_of()[name] for name in names}, task="regression")
    alone = make_recorder(profile)
    alone.record({name: columns[name] for name in names})
    forms = (matrix, names), (Rows({}, rows, matrix), None), (matrix[:, [1, 0, 0]], ["gaps", "whole", "id"])

    for data, labels in forms:
        together = make_recorder(profile)
        together.record(data, labels, workers=workers)
        assert together.document() == alone.document()


@pytest.mark.parametrize("rows", [255, 8193, ROWS])
@pytest.mark.parametrize("workers", [2, 3, 300])
def test_counts_of_coded_columns_do_not_depend_on_the_number_of_threads(rows: int, workers: int) -> None:
    """Coded columns are split between threads like plain ones, including codes of missing values."""
    columns = columns_of(rows)
    known = ["it", "unseen", "de", "fr"]
    codes = np.array([known.index(value) if value else -1 for value in columns["country"]], dtype=np.int8)
    profile = build_profile({name: columns_of()[name] for name in ("whole", "country")}, task="regression")
    alone, together = make_recorder(profile), make_recorder(profile)

    alone.record(columns)
    together.record(columns | {"country": Coded(known, codes)}, workers=workers)

    assert together.document() == alone.document()


class Torn:
    """A value that raises when it is read."""

    def __str__(self) -> str:
        raise RuntimeError("torn")


@pytest.mark.parametrize("rows", [10, ROWS])
@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("position", [0, -1])
def test_nothing_is_counted_if_a_worker_raises(rows: int, workers: int, position: int) -> None:
    """A batch is counted as a whole or not at all, including the rows of the other workers."""
    profile = build_profile(columns_of() | {"mixed": generator().normal(size=ROWS)}, task="regression")
    recorder, untouched = make_recorder(profile), make_recorder(profile)
    columns = columns_of(rows)
    torn = columns["country"].copy()
    torn[position] = Torn()

    for each in (recorder, untouched):
        each.record(columns_of(300))
    with pytest.raises(RuntimeError, match="torn"):
        recorder.record(columns | {"country": torn}, workers=workers)
    assert recorder.document() == untouched.document()
    for each in (recorder, untouched):
        each.record(columns, workers=workers)
    assert recorder.document() == untouched.document()


def test_rows_are_sampled_before_they_are_split_between_threads() -> None:
    """The sampled rows depend on the number of rows only."""
    profile = build_profile(columns_of(), task="regression")
    alone, together = (Recorder(profile, model="m", version="v", start=0.0, sampling_ratio=0.3) for _ in range(2))

    alone.record(columns_of())
    together.record(columns_of(), workers=2)

    assert together.document() == alone.document()


def test_the_error_names_the_first_refused_column() -> None:
    """This is the order of the columns, even if a thread reads a later column first."""
    columns = {"good": np.zeros(9), "bad": np.zeros(9, dtype=complex), "worse": np.zeros(9, dtype="timedelta64[s]")}

    with pytest.raises(ProfileError, match="bad"):
        build_profile(columns, task="regression", workers=3)


def test_results_are_in_the_order_of_the_items() -> None:
    begun = threading.Event()

    def work(item: int) -> int:
        """Block the first item until the second has started."""
        if item == 0:
            assert begun.wait(timeout=30)
        begun.set()
        return item * 10

    assert map_in_threads(2, work, range(5)) == [0, 10, 20, 30, 40]


def test_one_worker_runs_in_the_calling_thread() -> None:
    """Serving pods start no threads."""
    assert map_in_threads(1, lambda _: threading.get_ident(), [0]) == [threading.get_ident()]


def test_one_chunk_of_rows_is_not_split() -> None:
    """Splitting it would change the rounding of its sums."""
    columns = {"a": generator().normal(size=CHUNK_ROWS)}
    profile = build_profile(columns, task="regression")
    alone, together = make_recorder(profile), make_recorder(profile)

    alone.record(columns)
    together.record(columns, workers=300)

    assert together.document() == alone.document()


@pytest.mark.parametrize("rows", [1, ROWS])
@pytest.mark.parametrize("workers", [0, -1])
def test_fewer_than_one_worker_is_refused(rows: int, workers: int) -> None:
    """The argument is checked even if the batch is too small for several workers."""
    columns = columns_of(rows)
    profile = build_profile(columns_of(), task="regression")

    with pytest.raises(ValueError, match="workers must be at least 1, got"):
        build_profile(columns, task="regression", workers=workers)
    with pytest.raises(ValueError, match="workers must be at least 1, got"):
        make_recorder(profile).record(columns, workers=workers)


def test_concurrent_batches_do_not_share_buffers() -> None:
    """Batches of any size from several threads reuse buffers, but never use one at the same time."""
    draw, names = generator(9), ["a", "b", "c"]
    profile = build_profile({name: draw.normal(size=1000) for name in names}, task="regression")
    batches = [draw.normal(size=(int(rows), 3)) for rows in draw.integers(256, 20_000, 60)]
    together, alone = make_recorder(profile), make_recorder(profile)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda batch: together.record(batch, names), batches))
    for batch in batches:
        alone.record({name: batch[:, index] for index, name in enumerate(names)})

    found, wanted = (validate_counts(recorder.document(), profile).cells for recorder in (together, alone))
    assert np.array_equal(found, wanted)
