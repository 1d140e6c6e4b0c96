"""Equal rows are counted in the same cells, for any input form and any split into batches."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.data.columns import Rows
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.features import CategoricalFeature, NumericFeature
from perennate.drift.profile.layout import HEAD, MAX_OFFSET, OFFSET_STEPS, ROWS, SEEN, Layout
from perennate.drift.profile.profile import Profile
from perennate.drift.recording.comparisons import CHUNK_ROWS
from perennate.drift.recording.recorder import Recorder
from perennate.drift.recording.validation import validate_counts
from tests.support.drift.makers import generator, make_recorder

Row = tuple[float, float, bool, str | None]
TRAINING = {
    "income": np.exp(generator(0).normal(size=2000)),
    "children": np.array([0.0, 0, 1, 1, 2, 2, 3, np.nan] * 250),
    "member": np.array([True, False] * 1000),
    "country": np.array(["de", "fr", "it", None] * 500, dtype=object),
}
SCORES = generator(1).random(500)
LABELS = generator(2).integers(0, 2, 500)
NAMES = list(TRAINING)
NUMBERS = NAMES[:3]


def make(names: list[str]) -> Profile:
    """A profile of the named columns."""
    columns = {name: TRAINING[name] for name in names}
    return build_profile(columns, task="classification", score=SCORES, labels=LABELS, classes=[0, 1])


MIXED, NUMERIC = make(NAMES), make(NUMBERS)
EDGES = [float(edge) for feature in MIXED.features if isinstance(feature, NumericFeature) for edge in feature.edges]
NUMBER = st.one_of(st.floats(), st.sampled_from(EDGES), st.floats(0, 4))
ROW = st.tuples(NUMBER, NUMBER, st.booleans(), st.sampled_from(["de", "fr", "it", "us", "1", "", None]))
ROWS_OF_ANY_NUMBER = st.builds(
    lambda rows, times: rows * times,
    st.lists(ROW, min_size=1, max_size=12),
    st.sampled_from([1, 5, 25, CHUNK_ROWS // 10]),
)


def expected(profile: Profile, rows: Sequence[Row], scores: Sequence[float]) -> np.ndarray:
    """The expected cells, computed value by value from the definition."""
    layout = Layout(profile)
    cells = np.zeros(layout.size, dtype=np.int64)
    cells[[ROWS, SEEN]] = len(rows)
    for index, feature in enumerate(profile.features):
        start, offset = HEAD + sum(item.bins + 4 for item in profile.features[:index]), layout.offsets.start + index
        for row in rows:
            if isinstance(feature, NumericFeature):
                number = float(row[index] or 0)
                cells[start + numeric_cell(feature, number)] += 1
                cells[offset] += steps_off(feature, number)
            else:
                cells[start + category_cell(feature, row[3])] += 1
    assert profile.score is not None
    for score in scores:
        cells[layout.score_start + bisect_left(profile.score.edges.tolist(), score)] += 1
    return cells


def numeric_cell(feature: NumericFeature, value: float) -> int:
    """Index of a number among the cells of its feature: below, bins, above, missing, other."""
    assert feature.minimum is not None
    assert feature.maximum is not None
    if np.isnan(value):
        return feature.bins + 2
    if value < feature.minimum:
        return 0
    return feature.bins + 1 if value > feature.maximum else 1 + bisect_left(feature.edges.tolist(), value)


def category_cell(feature: CategoricalFeature, value: str | None) -> int:
    """Index of a category among the cells of its feature."""
    if value in feature.categories:
        return 1 + feature.categories.index(str(value))
    return feature.bins + (2 if value is None else 3)


def steps_off(feature: NumericFeature, value: float) -> int:
    """The number's distance from the mean, in offset steps."""
    if not np.isfinite(value):
        return 0
    steps = (value - (feature.mean or 0.0)) * (OFFSET_STEPS / (feature.sd or 1.0))
    return round(max(-MAX_OFFSET, min(MAX_OFFSET, steps)))


def as_columns(rows: Sequence[Row]) -> dict[str, np.ndarray]:
    """The rows as columns with the dtypes of a serving pod."""
    columns = dict(zip(NAMES, (list(values) for values in zip(*rows, strict=True)), strict=True))
    kinds = {"income": np.float64, "children": np.float64, "member": np.bool_, "country": object}
    return {name: np.array(columns[name], dtype=kinds[name]) for name in NAMES}


def as_matrix(rows: Sequence[Row]) -> np.ndarray:
    """The numeric features as a matrix."""
    return np.array([row[:3] for row in rows], dtype=np.float64)


def record_checked(recorder: Recorder, rows: Sequence[Row]) -> None:
    """Record the rows as validated columns."""
    recorder.record(Rows(as_columns(rows), len(rows)))


def record_matrix(recorder: Recorder, rows: Sequence[Row]) -> None:
    """Record the rows as a matrix, with the names of its columns."""
    recorder.record(as_matrix(rows), NUMBERS)


Path = Callable[[Recorder, Sequence[Row]], None]
PATHS: dict[str, Path] = {
    "columns": lambda recorder, rows: recorder.record(as_columns(rows)),
    "checked columns": record_checked,
    "lists": lambda recorder, rows: recorder.record(dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=True))),
    "records": lambda recorder, rows: recorder.record([dict(zip(NAMES, row, strict=True)) for row in rows]),
}
MATRIX_PATHS: dict[str, Path] = {
    "matrix": record_matrix,
    "matrix with extra columns in another order": lambda recorder, rows: recorder.record(
        np.column_stack([np.zeros(len(rows)), as_matrix(rows)[:, ::-1]]), ["id", *NUMBERS[::-1]]
    ),
    "checked matrix": lambda recorder, rows: recorder.record(Rows({}, len(rows), as_matrix(rows))),
}


@given(rows=ROWS_OF_ANY_NUMBER, cuts=st.lists(st.integers(1, 5000), max_size=6), singles=st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_every_input_form_gives_the_cells_of_the_definition(rows: list[Row], cuts: list[int], singles: int) -> None:
    """Some rows are recorded one by one and the others in batches of any size."""
    ends = sorted({0, *range(min(singles, len(rows))), *(cut for cut in cuts if cut < len(rows)), len(rows)})
    scores = generator(len(rows)).random(len(rows))
    for profile, paths in ((MIXED, PATHS), (NUMERIC, PATHS | MATRIX_PATHS)):
        wanted = expected(profile, rows, scores.tolist())
        for name, path in paths.items():
            recorder = make_recorder(profile)
            for first, last in pairwise(ends):
                path(recorder, rows[first:last])
                recorder.record_scores(scores[first:last])
            assert np.array_equal(validate_counts(recorder.document(), profile).cells, wanted), name


@given(rows=st.lists(ROW, min_size=1, max_size=12), other=st.lists(ROW, min_size=1, max_size=12))
@settings(max_examples=20, deadline=None)
def test_buffered_rows_are_in_the_next_document(rows: list[Row], other: list[Row]) -> None:
    """Every document contains all rows recorded before it, however often documents are requested."""
    recorder = make_recorder(MIXED)
    for batch in (rows, other):
        record_checked(recorder, batch)
        recorder.document()

    assert np.array_equal(validate_counts(recorder.document(), MIXED).cells, expected(MIXED, rows + other, []))


def test_the_callers_array_is_copied_and_not_changed() -> None:
    for rows in (1, CHUNK_ROWS - 1, CHUNK_ROWS):
        matrix = generator(3).random((rows, 3))
        handed, recorder, alone = matrix.copy(), make_recorder(NUMERIC), make_recorder(NUMERIC)
        recorder.record(handed, NUMBERS)
        assert np.array_equal(handed, matrix)
        handed[:] = np.nan
        alone.record({name: matrix[:, index] for index, name in enumerate(NUMBERS)})

        assert recorder.document() == alone.document()
