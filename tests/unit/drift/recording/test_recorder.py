"""Counting rows, scores and labels in a serving pod."""

from __future__ import annotations

import json
import sys
import threading

import numpy as np
import pytest

from perennate.drift.data.columns import Rows
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.layout import Layout
from perennate.drift.recording.comparisons import CHUNK_ROWS
from perennate.drift.recording.recorder import Recorder
from perennate.drift.recording.validation import validate_counts
from tests.support.drift.makers import PEOPLE, make_columns, make_profile, make_recorder, make_scores, record


def test_document_of_a_batch() -> None:
    """An absent feature counts as missing; columns that are not features are ignored."""
    recorder = Recorder(PEOPLE, model="churn", version="sha256:ab", start=12.5)
    recorder.record({"age": [25, 45, None, 99], "height": [1, 2, 3, 4]})
    recorder.record_error()

    assert recorder.document() == {
        "schema": "perennate.dev/counts/v1",
        "model": "churn",
        "version": "sha256:ab",
        "profileDigest": PEOPLE.digest,
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


def test_a_batch_that_raises_is_not_counted() -> None:
    """The document stays consistent: the operator refuses one whose cells do not add up to the rows."""
    profile = build_profile({"a": np.arange(9.0), "b": np.arange(9.0)}, task="regression")
    recorder = make_recorder(profile)
    with pytest.raises(ValueError, match="broadcast"):
        recorder.record(Rows({}, 3, np.zeros((3, 5))))
    recorder.record(Rows({}, 4, np.zeros((4, 2))))

    assert validate_counts(recorder.document(), profile).rows == 4


def test_counting_the_training_rows_gives_the_counts_of_the_profile() -> None:
    profile = make_profile()
    recorder = make_recorder(profile)
    recorder.record(make_columns(10_000))
    recorder.record_scores(make_scores(4000)[0])
    counts = validate_counts(recorder.document(), profile)
    labels = Layout(profile).label(0).start

    assert np.array_equal(counts.cells[:labels], Layout(profile).reference[:labels])
    assert np.abs(counts.cells[Layout(profile).offsets]).max() <= 10_000


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
        Recorder(PEOPLE, model="m", version="v", start=0.0, sampling_ratio=ratio)


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


def test_sums_of_huge_values_are_valid_json() -> None:
    recorder = make_recorder(PEOPLE)
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
