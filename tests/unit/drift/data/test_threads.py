"""The same profile and the same counts, however many threads they are made in."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from perennate.drift.data.columns import Rows
from perennate.drift.data.errors import ProfileError
from perennate.drift.data.threads import in_threads
from perennate.drift.profile.build import build_profile
from perennate.drift.recording.recorder import CHUNK_ROWS, Recorder
from perennate.drift.recording.validation import validate_counts
from tests.support.drift.makers import Coded, generator, make_recorder

ROWS = 30_000


def columns_of(rows: int = ROWS) -> dict[str, Any]:
    """Columns of every kind. Sums of whole numbers are exact, whoever adds up which."""
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
def test_profile_does_not_depend_on_the_threads(workers: int) -> None:
    """More threads than columns are no mistake."""
    columns = columns_of()
    alone = build_profile(columns, task="regression")

    assert build_profile(columns, task="regression", workers=workers).to_bytes() == alone.to_bytes()


@pytest.mark.parametrize("rows", [0, 1, 255, 256, 257, 8193, ROWS])
@pytest.mark.parametrize("workers", [2, 3, 300])
def test_counts_do_not_depend_on_the_threads(rows: int, workers: int) -> None:
    """Neither of few rows, which wait, nor with more threads than there are rows for."""
    profile = build_profile(columns_of() | {"mixed": generator().normal(size=ROWS)}, task="regression")
    alone, together = make_recorder(profile), make_recorder(profile)
    columns = columns_of(rows)

    alone.record(columns)
    together.record(columns, workers=workers)

    assert together.document() == alone.document()


@pytest.mark.parametrize("rows", [255, 8193, ROWS])
@pytest.mark.parametrize("workers", [2, 3, 300])
def test_counts_of_a_matrix_do_not_depend_on_the_threads(rows: int, workers: int) -> None:
    """Whether it has exactly the features, has been checked, or has other columns besides."""
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
def test_counts_of_codes_do_not_depend_on_the_threads(rows: int, workers: int) -> None:
    """A column of codes is shared out like one of values, those that stand for none included."""
    columns = columns_of(rows)
    known = ["it", "unseen", "de", "fr"]
    codes = np.array([known.index(value) if value else -1 for value in columns["country"]], dtype=np.int8)
    profile = build_profile({name: columns_of()[name] for name in ("whole", "country")}, task="regression")
    alone, together = make_recorder(profile), make_recorder(profile)

    alone.record(columns)
    together.record(columns | {"country": Coded(known, codes)}, workers=workers)

    assert together.document() == alone.document()


class Torn:
    """A value that cannot be read."""

    def __str__(self) -> str:
        raise RuntimeError("torn")


@pytest.mark.parametrize("rows", [10, ROWS])
@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("place", [0, -1])
def test_nothing_is_counted_if_a_worker_raises(rows: int, workers: int, place: int) -> None:
    """Not even the rows of the others: a batch is counted whole or, by its caller, as an error."""
    profile = build_profile(columns_of() | {"mixed": generator().normal(size=ROWS)}, task="regression")
    recorder, untouched = make_recorder(profile), make_recorder(profile)
    columns = columns_of(rows)
    torn = columns["country"].copy()
    torn[place] = Torn()

    for each in (recorder, untouched):
        each.record(columns_of(300))
    with pytest.raises(RuntimeError, match="torn"):
        recorder.record(columns | {"country": torn}, workers=workers)
    assert recorder.document() == untouched.document()
    for each in (recorder, untouched):
        each.record(columns, workers=workers)
    assert recorder.document() == untouched.document()


def test_a_sample_is_drawn_before_the_rows_are_shared_out() -> None:
    """Which rows are counted follows from their number alone."""
    profile = build_profile(columns_of(), task="regression")
    alone, together = (Recorder(profile, model="m", version="v", start=0.0, sampling_ratio=0.3) for _ in range(2))

    alone.record(columns_of())
    together.record(columns_of(), workers=2)

    assert together.document() == alone.document()


def test_the_first_column_that_is_refused_is_named() -> None:
    """As without threads, though a later one may be looked at sooner."""
    columns = {"good": np.zeros(9), "bad": np.zeros(9, dtype=complex), "worse": np.zeros(9, dtype="timedelta64[s]")}

    with pytest.raises(ProfileError, match="bad"):
        build_profile(columns, task="regression", workers=3)


def test_results_keep_the_order() -> None:
    begun = threading.Event()

    def work(item: int) -> int:
        """The first item waits for the second."""
        if item == 0:
            assert begun.wait(timeout=30)
        begun.set()
        return item * 10

    assert in_threads(2, work, range(5)) == [0, 10, 20, 30, 40]


def test_one_worker_is_the_caller() -> None:
    """No thread is started in a serving pod."""
    assert in_threads(1, lambda _: threading.get_ident(), [0]) == [threading.get_ident()]


def test_a_thread_has_enough_to_do() -> None:
    """As many rows as one counts at a time are not shared out, or their sums would round otherwise."""
    columns = {"a": generator().normal(size=CHUNK_ROWS)}
    profile = build_profile(columns, task="regression")
    alone, together = make_recorder(profile), make_recorder(profile)

    alone.record(columns)
    together.record(columns, workers=300)

    assert together.document() == alone.document()


@pytest.mark.parametrize("rows", [1, ROWS])
@pytest.mark.parametrize("workers", [0, -1])
def test_somebody_must_work(rows: int, workers: int) -> None:
    """No count is lost for want of workers, and few rows are no reason to overlook a slip."""
    columns = columns_of(rows)
    profile = build_profile(columns_of(), task="regression")

    with pytest.raises(ValueError, match="workers must be at least 1, got"):
        build_profile(columns, task="regression", workers=workers)
    with pytest.raises(ValueError, match="workers must be at least 1, got"):
        make_recorder(profile).record(columns, workers=workers)


def test_memory_of_one_batch_is_not_that_of_another_at_work() -> None:
    """Batches of any size, from several threads at once, use memory again and never the same at the same time."""
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
