"""Counting in a serving pod."""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.build import build_profile
from perennate.drift.counts import validate_counts
from perennate.drift.layout import Layout
from perennate.drift.recorder import LabelError, Recorder
from tests.unit.drift.makers import generator, make_columns, make_profile, make_recorder, make_scores, record

PROFILE = build_profile(
    {"age": np.array([20.0, 30, 40, 50, 60]), "country": np.array(["de", "de", "fr", None, "it"], dtype=object)},
    task="classification",
    score=[0.1, 0.4, 0.6, 0.9],
    labels=["no", "no", "yes", "yes"],
    classes=["no", "yes"],
)


def cells_of(name: str, value: Any) -> dict[str, Any]:
    """Where a single value is counted: the bin, or the name of another cell."""
    recorder = make_recorder(PROFILE)
    recorder.record({name: [value]})
    document = recorder.document()
    index = document["features"].index(name)
    hits = {cell: 1 for cell in ("below", "above", "missing", "other") if document[cell][index]}
    return hits | {f"bin {place}": count for place, count in enumerate(document["counts"][index]) if count}


AGES = {
    "the minimum is in the first bin": (20, "bin 0"),
    "just above an edge": (20.000001, "bin 1"),
    "an edge belongs to the bin below it": (30.0, "bin 1"),
    "the maximum is in the last bin": (60, "bin 4"),
    "below the minimum": (19.9, "below"),
    "above the maximum": (60.1, "above"),
    "minus infinity": (-np.inf, "below"),
    "infinity": (np.inf, "above"),
    "NaN": (np.nan, "missing"),
    "None": (None, "missing"),
    "a boolean is a number": (True, "below"),
    "a string": ("forty", "other"),
    "a numeric string is a string": ("40", "other"),
    "an object": ({"years": 40}, "other"),
    "an integer too large for a float": (10**400, "above"),
    "an integer too small for a float": (-(10**400), "below"),
}


@pytest.mark.parametrize(("value", "cell"), AGES.values(), ids=AGES)
def test_cell_of_a_number(value: Any, cell: str) -> None:
    """Every value of a numeric feature falls into exactly one cell."""
    assert cells_of("age", value) == {cell: 1}


COUNTRIES = {
    "known": ("fr", "bin 1"),
    "numpy text": (np.str_("it"), "bin 2"),
    "unseen": ("us", "other"),
    "missing": (None, "missing"),
    "NaN": (float("nan"), "missing"),
    "a number is an unseen category": (7, "other"),
    "an unhashable value": (["de"], "other"),
}


@pytest.mark.parametrize(("value", "cell"), COUNTRIES.values(), ids=COUNTRIES)
def test_cell_of_a_category(value: Any, cell: str) -> None:
    """Every value of a categorical feature falls into exactly one cell."""
    recorder = make_recorder(PROFILE)
    column = np.empty(1, dtype=object)
    column[0] = value
    recorder.record({"country": column})
    document = recorder.document()
    hits = {name: 1 for name in ("below", "above", "missing", "other") if document[name][1]}
    hits |= {f"bin {place}": count for place, count in enumerate(document["counts"][1]) if count}

    assert hits == {cell: 1}


def test_document_of_a_batch() -> None:
    """The document has the published fields; absent features are missing, other columns are not looked at."""
    recorder = Recorder(PROFILE, model="churn", version="sha256:ab", start=12.5)
    recorder.record({"age": [25, 45, None, 99], "height": [1, 2, 3, 4]})
    recorder.record_error()

    assert recorder.document() == {
        "schema": "perennate.dev/counts/v1",
        "model": "churn",
        "version": "sha256:ab",
        "profileDigest": PROFILE.digest,
        "start": 12.5,
        "rows": 4,
        "seen": 4,
        "errors": 1,
        "features": ["age", "country"],
        "counts": [[0, 1, 0, 1, 0], [0, 0, 0]],
        "below": [0, 0],
        "above": [1, 0],
        "missing": [1, 4],
        "other": [0, 0],
        "sum": [169.0, None],
        "sumsq": [25.0**2 + 45**2 + 99**2, None],
        "score": [0, 0, 0, 0, 0],
        "labels": {"0": [0, 0, 0, 0, 0], "1": [0, 0, 0, 0, 0]},
        "delays": [0] * 8,
        "offsets": [sum(round((age - 40) / np.sqrt(200) * 2**20) for age in (25, 45, 99)), None],
    }


@pytest.mark.parametrize("columns", [{"age": [1, 2], "country": ["de"]}, {"age": [[1, 2]]}, {"age": 3}, {}])
def test_ragged_columns_are_refused_whole(columns: dict[str, Any]) -> None:
    """Columns of different lengths are a mistake of the caller; nothing of them is counted."""
    recorder = make_recorder(PROFILE)

    with pytest.raises(ValueError, match="columns must be one-dimensional and of one length"):
        recorder.record(columns)
    assert recorder.document()["rows"] == 0


@pytest.mark.parametrize("rows", [1, 15, 16, 500])
def test_both_kernels_count_alike(rows: int) -> None:
    """Small batches are compared, large ones searched; both count as the profile was cut."""
    profile = make_profile(rows=2000)
    columns = make_columns(rows, seed=3)
    columns["f1"][: rows // 2] = np.nan
    at_once, one_by_one = make_recorder(profile), make_recorder(profile)
    at_once.record(columns)
    for row in range(rows):
        one_by_one.record({name: values[row : row + 1] for name, values in columns.items()})
    first, second = at_once.document(), one_by_one.document()

    assert first["sum"][0] == pytest.approx(second["sum"][0])
    assert {key: value for key, value in first.items() if not key.startswith("sum")} == {
        key: value for key, value in second.items() if not key.startswith("sum")
    }


def test_training_rows_give_back_the_profile() -> None:
    """Counting the training and hold-out rows gives exactly the counts of the profile."""
    profile = make_profile()
    recorder = make_recorder(profile)
    recorder.record(make_columns(10_000))
    recorder.record_scores(make_scores(4000)[0])
    counts = validate_counts(recorder.document(), profile)
    labels = Layout(profile).label(0).start

    assert np.array_equal(counts.cells[:labels], Layout(profile).reference[:labels])
    assert np.abs(counts.cells[Layout(profile).offsets]).max() <= 10_000


def test_scores_and_labels() -> None:
    """A score's bin comes back for the id; NaN is -1 and not counted; a label goes into the bin it came with."""
    recorder = make_recorder(PROFILE)
    bins = recorder.record_scores([0.05, 0.5, 0.500001, 0.95, np.nan])
    recorder.record_label(int(bins[0]), "no")
    recorder.record_label(int(bins[3]), "yes")
    document = recorder.document()

    assert bins.tolist() == [0, 2, 3, 4, -1]
    assert document["score"] == [1, 0, 1, 1, 1]
    assert document["labels"] == {"0": [1, 0, 0, 0, 0], "1": [0, 0, 0, 0, 1]}


@pytest.mark.parametrize(
    ("score_bin", "label", "message"),
    [
        (5, "no", "score bin must be from 0 to 4, got 5"),
        (-1, "no", "got -1"),
        (0, "maybe", "label must be one of no, yes"),
    ],
)
def test_labels_that_cannot_be_booked(score_bin: int, label: str, message: str) -> None:
    """A label for no bin or of no class is refused with a reason, and nothing is counted."""
    recorder = make_recorder(PROFILE)

    with pytest.raises(LabelError, match=message):
        recorder.record_label(score_bin, label)
    assert not any(map(any, recorder.document()["labels"].values()))


def test_labels_of_a_regression_are_not_counted() -> None:
    """There are no bins for residuals, and the pod says so."""
    profile = build_profile({"x": np.arange(9.0)}, task="regression", score=np.arange(9.0), labels=np.arange(9.0))

    with pytest.raises(LabelError, match="without labelled hold-out rows"):
        make_recorder(profile).record_label(0, 1.0)


def test_scores_without_a_reference_are_refused() -> None:
    """A profile without hold-out rows has no score bins."""
    profile = build_profile({"x": np.arange(9.0)}, task="regression")

    with pytest.raises(ValueError, match="the profile has no score"):
        make_recorder(profile).record_scores([0.5])


def test_sums_never_overflow_into_json() -> None:
    """Sums of very large values stay numbers."""
    recorder = make_recorder(PROFILE)
    recorder.record({"age": [1e300, 1e300]})

    json.dumps(recorder.document(), allow_nan=False)


def test_threads_lose_nothing() -> None:
    """Rows, scores and labels that are recorded at once are all counted, and each snapshot is consistent."""
    profile = make_profile(rows=500)
    recorder = make_recorder(profile)

    def work(seed: int) -> None:
        for batch in range(20):
            record(recorder, 5, seed + batch)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        validate_counts(recorder.document(), profile)
    for thread in threads:
        thread.join()
    document = recorder.document()

    assert document["rows"] == 400
    assert sum(document["score"]) == 400
    assert sum(map(sum, document["labels"].values())) == 400


@given(ages=st.lists(st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=3), st.booleans()), min_size=1))
@settings(max_examples=100, deadline=None)
def test_every_row_is_in_one_cell(ages: list[Any]) -> None:
    """Whatever comes, the cells of every feature add up to the rows and the document is valid."""
    recorder = make_recorder(PROFILE)
    column = np.empty(len(ages), dtype=object)
    column[:] = ages
    recorder.record({"age": column, "country": column})
    document = json.loads(json.dumps(recorder.document(), allow_nan=False))

    assert validate_counts(document, PROFILE).rows == len(ages)


def test_arrays_of_other_types() -> None:
    """Integers, small floats and booleans count as numbers; text columns as no numbers."""
    recorder = make_recorder(PROFILE)
    for column in (np.array([30], np.int8), np.array([30], np.float32), np.array([30], np.uint64), np.array(["30"])):
        recorder.record({"age": column})

    assert recorder.document()["counts"][0] == [0, 3, 0, 0, 0]
    assert recorder.document()["other"][0] == 1


def test_batches_of_any_size_are_the_same_rows() -> None:
    """Splitting rows into batches changes no count."""
    profile, columns = make_profile(rows=500), make_columns(100, seed=5)
    whole, parts = make_recorder(profile), make_recorder(profile)
    whole.record(columns)
    cuts = sorted(generator(1).integers(1, 99, 6).tolist())
    for rows in np.split(np.arange(100), cuts):
        if rows.size:
            parts.record({name: values[rows] for name, values in columns.items()})

    assert whole.document()["counts"] == parts.document()["counts"]
