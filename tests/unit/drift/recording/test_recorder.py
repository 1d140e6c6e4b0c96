"""Counting rows, scores and labels in a serving pod."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.data.categories import class_text
from perennate.drift.data.errors import LabelError
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.layout import Layout
from perennate.drift.profile.profile import Profile
from perennate.drift.recording.recorder import CHUNK_ROWS, Recorder
from perennate.drift.recording.validation import validate_counts
from tests.support.drift.makers import make_columns, make_profile, make_recorder, make_scores, record

PROFILE = build_profile(
    {"age": np.array([20.0, 30, 40, 50, 60]), "country": np.array(["de", "de", "fr", None, "it"], dtype=object)},
    task="classification",
    score=[0.1, 0.4, 0.6, 0.9],
    labels=["no", "no", "yes", "yes"],
    classes=["no", "yes"],
)


def cells_of(name: str, value: Any) -> dict[str, Any]:
    """The cell in which a single value is counted: a bin, or the name of another cell."""
    recorder = make_recorder(PROFILE)
    recorder.record({name: [value]})
    document = recorder.document()
    index = document["features"].index(name)
    hits = {cell: 1 for cell in ("below", "above", "missing", "other") if document[cell][index]}
    return hits | {f"bin {position}": count for position, count in enumerate(document["counts"][index]) if count}


AGES = {
    "the minimum is in the first bin": (20, "bin 0"),
    "just above an edge": (20.00001, "bin 1"),
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
    """Every value of a numeric feature is counted in exactly one cell."""
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
    """Every value of a categorical feature is counted in exactly one cell."""
    recorder = make_recorder(PROFILE)
    column = np.empty(1, dtype=object)
    column[0] = value
    recorder.record({"country": column})
    document = recorder.document()
    hits = {name: 1 for name in ("below", "above", "missing", "other") if document[name][1]}
    hits |= {f"bin {position}": count for position, count in enumerate(document["counts"][1]) if count}

    assert hits == {cell: 1}


def test_document_of_a_batch() -> None:
    """An absent feature counts as missing; columns that are not features are ignored."""
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
        "unscored": 0,
        "target": [0] * 6,
        "offsets": [sum(round((age - 40) / np.sqrt(200) * 2**20) for age in (25, 45, 99)), None],
    }


@pytest.mark.parametrize("columns", [{"age": [1, 2], "country": ["de"]}, {"age": [[1, 2]]}, {"age": 3}, {}])
def test_columns_of_different_lengths_are_refused(columns: dict[str, Any]) -> None:
    """Nothing of such a batch is counted."""
    recorder = make_recorder(PROFILE)

    with pytest.raises(ValueError, match="columns must be one-dimensional and equally long"):
        recorder.record(columns)
    assert recorder.document()["rows"] == 0


def test_counting_the_training_rows_gives_the_counts_of_the_profile() -> None:
    profile = make_profile()
    recorder = make_recorder(profile)
    recorder.record(make_columns(10_000))
    recorder.record_scores(make_scores(4000)[0])
    counts = validate_counts(recorder.document(), profile)
    labels = Layout(profile).label(0).start

    assert np.array_equal(counts.cells[:labels], Layout(profile).reference[:labels])
    assert np.abs(counts.cells[Layout(profile).offsets]).max() <= 10_000


def test_label_is_counted_in_the_bin_of_its_score() -> None:
    """Recording a score returns its bin, or -1 for NaN, which is not counted; a label is counted by that bin."""
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
def test_invalid_binary_labels_are_refused(score_bin: int, label: str, message: str) -> None:
    """The error says why, and nothing is counted."""
    recorder = make_recorder(PROFILE)

    with pytest.raises(LabelError, match=message):
        recorder.record_label(score_bin, label)
    assert not any(map(any, recorder.document()["labels"].values()))


REGRESSION = build_profile(
    {"x": np.arange(9.0)}, task="regression", score=np.arange(9.0), labels=np.arange(9.0) + [0, 1, -1] * 3
)
FLOWERS = build_profile(
    {"x": np.arange(9.0)},
    task="classification",
    score=[0.5] * 6,
    labels=list("abcabc"),
    predictions=list("abcabb"),
    classes="abc",
)


def test_regression_labels_are_counted_by_residual() -> None:
    """The residual is counted in a bin, and added to integer sums of its size, square and fourth power."""
    recorder = make_recorder(REGRESSION)
    recorder.record_label(5.0, 4.0, delay=30)
    recorder.record_label(5.0, 6)
    recorder.record_label(1e9, 0.0, delay=1e9)
    counted = validate_counts(recorder.document(), REGRESSION).cells
    layout = Layout(REGRESSION)
    unit = round(1 / layout.profile.residual.unit) if layout.profile.residual else 0

    assert counted[layout.residual].tolist() == [1, 0, 2]
    assert counted[layout.residual_sums].tolist()[:4] == [3, unit + 2**15, unit, 2 * unit**2 + 2**30]
    assert counted[layout.delays].tolist() == [1, 0, 0, 0, 0, 0, 0, 1]


def test_multiclass_labels_are_counted_in_the_confusion_matrix() -> None:
    """Predicted classes are counted separately as well."""
    recorder = make_recorder(FLOWERS)
    answers = recorder.record_predictions(np.array(["a", "b", "b", "d"]))
    recorder.record_labels(answers[:3], np.array(["a", "b", "c"]), np.array([59.0, 3600.0, -5.0]))
    document = recorder.document()

    assert answers.tolist() == [0, 1, 1, -1]
    assert document["prediction"] == [1, 2, 0]
    assert document["confusion"] == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
    assert document["delays"] == [2, 0, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "predictions",
    [
        [1, 2, 1, 3],
        [1.0, 2.5, -0.0, 2.0],
        [True, False],
        ["1", "true", "b"],
        [float("nan")] * 2,
        [1, True, "1", None],
        [],
    ],
)
def test_class_positions_of_any_type(predictions: list[Any]) -> None:
    """A batch gives each class the position that it has alone."""
    profile = build_profile({"x": np.arange(9.0)}, task="classification", classes=[0, 1, 2, "true"])
    recorder = make_recorder(profile)
    texts = [class_text(value) for value in predictions]
    wanted = [profile.classes.index(text) if text in profile.classes else -1 for text in texts]

    assert recorder.class_positions(predictions).tolist() == wanted
    column = np.empty(len(predictions), dtype=object)
    column[:] = predictions
    assert recorder.class_positions(column).tolist() == wanted


@pytest.mark.parametrize(
    ("profile", "answer", "label", "message"),
    [
        (REGRESSION, 1.0, "a", "label must be a number, got str"),
        (REGRESSION, 1.0, True, "label must be a number, got bool"),
        (REGRESSION, float("nan"), 1.0, "must be finite numbers"),
        (REGRESSION, 1.7e308, -1.7e308, "their difference must be finite"),
        (FLOWERS, 3, "a", "predicted class must be a position from 0 to 2, got 3"),
        (FLOWERS, 0, "d", "label must be one of a, b, c, got 'd'"),
    ],
)
def test_one_invalid_label_refuses_the_batch(profile: Profile, answer: Any, label: Any, message: str) -> None:
    """The error says why, and no label of the batch is counted."""
    recorder = make_recorder(profile)
    right: tuple[float, Any] = (1, "a") if profile is FLOWERS else (1.0, 1.0)

    with pytest.raises(LabelError, match=message):
        recorder.record_labels([right[0], answer], [right[1], label])
    assert sum(recorder.document()["delays"]) == 0
    assert Layout(profile).size == validate_counts(recorder.document(), profile).cells.size
    assert not validate_counts(recorder.document(), profile).cells.any()


def test_labels_of_too_many_classes_are_not_counted() -> None:
    """Above 30 classes the confusion matrix would dominate the document; the error states the limit."""
    names = [f"c{index}" for index in range(31)]
    profile = build_profile({"x": np.arange(9.0)}, task="classification", classes=names)

    with pytest.raises(LabelError, match="at most 30 classes, this model has 31"):
        make_recorder(profile).record_label(0, "c0")


def test_labels_need_hold_out_rows() -> None:
    """Without them there are no bins; the error says what is missing."""
    for task, classes, message in (("regression", "", "labelled hold-out rows"), ("classification", "ab", "probabil")):
        profile = build_profile({"x": np.arange(9.0)}, task=task, classes=classes)  # type: ignore[arg-type]
        with pytest.raises(LabelError, match=message):
            make_recorder(profile).record_label(0, 1.0)


@dataclass(frozen=True, eq=False)
class Frame:
    """The part of the data frame interface that recording uses."""

    data: dict[str, Any]

    @property
    def columns(self) -> list[str]:
        """The column names."""
        return list(self.data)

    def __getitem__(self, name: str) -> Any:
        """One column."""
        return self.data[name]


def test_every_input_form_gives_the_same_counts() -> None:
    """Mappings of arrays or lists, records, data frames, and arrays with column names."""
    profile, columns = make_profile(rows=500), make_columns(40, seed=2)
    columns["f1"][3] = np.nan
    numbers = {name: values for name, values in columns.items() if name != "country"}
    lists = {name: values.tolist() for name, values in columns.items()}
    forms = {
        "lists": lists,
        "records": [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)],
        "frame": Frame(columns),
        "objects": {name: values.astype(object) for name, values in columns.items()},
    }

    def counted(data: Any, names: list[str] | None = None) -> dict[str, Any]:
        recorder = make_recorder(profile)
        recorder.record(data, names)
        document = recorder.document()
        assert document.pop("rows") == 40
        # Sums of floats may differ in the last digit.
        return {key: value for key, value in document.items() if not key.startswith("sum")}

    wanted = counted(columns)
    for name, form in forms.items():
        assert counted(form) == wanted, name
    assert counted(np.stack(list(numbers.values()), axis=1), list(numbers)) == counted(numbers)


@pytest.mark.parametrize(
    ("data", "names"), [(np.zeros((2, 2)), None), (np.zeros((2, 2)), ["a"]), (np.zeros(2), ["a"]), ([], None)]
)
def test_an_array_needs_a_name_for_each_column(data: Any, names: list[str] | None) -> None:
    """The order of columns is never guessed. A batch without rows is refused as well."""
    with pytest.raises(ValueError, match="must"):
        make_recorder(PROFILE).record(data, names)


def test_records_may_lack_fields() -> None:
    recorder = make_recorder(PROFILE)
    recorder.record([{"age": 30, "country": "de"}, {"country": "fr"}, {"age": 10**400}])
    document = recorder.document()

    assert (document["missing"], document["above"]) == ([1, 1], [1, 0])


@pytest.mark.parametrize(
    "value", ["2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC), np.datetime64("2026-03-01T12")]
)
def test_times_of_every_type_are_counted_alike(value: Any) -> None:
    """Texts, datetime objects and datetime64 are counted in the same bin; a number is `other`."""
    hours = np.array([f"2026-03-01T{hour:02d}" for hour in (6, 12, 18)], dtype="M8[h]")
    recorder = make_recorder(build_profile({"at": hours}, task="regression"))
    recorder.record({"at": [value]})
    recorder.record({"at": np.array([43_200.0, np.nan])})
    document = recorder.document()

    assert document["counts"] == [[0, 1, 0]]
    assert (document["other"], document["missing"]) == ([1], [1])


def test_a_coded_column_counts_like_its_values() -> None:
    """Each category is looked up once, however many rows there are."""
    recorder = make_recorder(PROFILE)
    recorder.record({"country": SimpleNamespace(categories=["us", "fr", "de"], codes=np.array([2, 1, 0, -1, 2]))})
    document = recorder.document()

    assert document["counts"][1] == [2, 1, 0]
    assert (document["other"][1], document["missing"][1]) == (1, 1)


def test_large_batches_are_counted_like_their_parts() -> None:
    """A batch of more than one chunk gives the same counts as its rows in smaller batches."""
    profile, columns = make_profile(rows=500), make_columns(CHUNK_ROWS + 100, seed=4)
    columns["f2"][::7] = np.inf
    whole, parts = make_recorder(profile), make_recorder(profile)
    whole.record(columns)
    for part in (slice(0, 50), slice(50, CHUNK_ROWS + 100)):
        parts.record({name: values[part] for name, values in columns.items()})

    first, second = (validate_counts(recorder.document(), profile).cells for recorder in (whole, parts))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("ratio", [0.0, -0.1, 1.1, float("nan")])
def test_invalid_sampling_ratio_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="sampling_ratio must be above 0 and at most 1"):
        Recorder(PROFILE, model="m", version="v", start=0.0, sampling_ratio=ratio)


def test_sampling_does_not_depend_on_the_batches() -> None:
    """A tenth of the rows is counted, the same rows for any split into batches; every score is counted."""
    profile, columns = make_profile(rows=500), make_columns(20_000, seed=6)
    whole, parts = (Recorder(profile, model="m", version="v", start=0.0, sampling_ratio=0.1) for _ in range(2))
    whole.record(columns)
    whole.record_scores(make_scores(20_000)[0])
    for rows in np.split(np.arange(20_000), [*range(1, 300), 500, 17_000]):
        parts.record({name: values[rows] for name, values in columns.items()})
    first, second = whole.document(), parts.document()

    assert first["counts"] == second["counts"]
    assert (first["seen"], sum(first["score"])) == (20_000, 20_000)
    assert first["rows"] == pytest.approx(2000, abs=200)
    assert validate_counts(first, profile).rows == first["rows"]


def test_scores_are_refused_if_the_profile_has_no_score() -> None:
    profile = build_profile({"x": np.arange(9.0)}, task="regression")

    with pytest.raises(ValueError, match="the profile has no score"):
        make_recorder(profile).record_scores([0.5])


def test_sums_of_huge_values_are_valid_json() -> None:
    recorder = make_recorder(PROFILE)
    recorder.record({"age": [1e300, 1e300]})

    json.dumps(recorder.document(), allow_nan=False)


def test_recording_is_thread_safe(request: pytest.FixtureRequest) -> None:
    """Concurrent rows, scores and labels are all counted, and every document is consistent."""
    profile = make_profile(rows=500)
    recorder = make_recorder(profile)

    def work(seed: int) -> None:
        for batch in range(20):
            record(recorder, 5, seed + batch)

    interval = sys.getswitchinterval()
    # Threads are switched at nearly every step, to provoke races.
    sys.setswitchinterval(1e-6)
    request.addfinalizer(lambda: sys.setswitchinterval(interval))
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
    alone = make_recorder(profile)
    for seed in range(4):
        for batch in range(20):
            record(alone, 5, seed + batch)
    assert document["counts"] == alone.document()["counts"]
    assert document["offsets"] == alone.document()["offsets"]


@given(ages=st.lists(st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=3), st.booleans()), min_size=1))
@settings(max_examples=100, deadline=None)
def test_every_row_is_counted_in_one_cell(ages: list[Any]) -> None:
    """For any values, the cells of each feature add up to the rows, and the document is valid."""
    recorder = make_recorder(PROFILE)
    column = np.empty(len(ages), dtype=object)
    column[:] = ages
    recorder.record({"age": column, "country": column})
    document = json.loads(json.dumps(recorder.document(), allow_nan=False))

    assert validate_counts(document, PROFILE).rows == len(ages)


def test_arrays_of_other_dtypes_are_counted() -> None:
    """Integers, float32 and booleans count as numbers; texts do not."""
    recorder = make_recorder(PROFILE)
    for column in (np.array([30], np.int8), np.array([30], np.float32), np.array([30], np.uint64), np.array(["30"])):
        recorder.record({"age": column})

    assert recorder.document()["counts"][0] == [0, 3, 0, 0, 0]
    assert recorder.document()["other"][0] == 1
