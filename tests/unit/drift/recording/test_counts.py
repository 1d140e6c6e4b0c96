"""Reading counts documents from pods, none of which is trusted."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.data.errors import CountsError
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.layout import MAX_OFFSET, SEEN, Layout
from perennate.drift.recording.validation import validate_counts
from tests.support.drift.changes import JSON, drop, put
from tests.support.drift.makers import make_document, make_profile, make_recorder

PROFILE = make_profile(rows=500)
GOOD = json.loads(json.dumps(make_document(PROFILE)))

REFUSED = {
    "another schema": (
        put("schema", value="perennate.dev/counts/v2"),
        r"schema: must be perennate.dev/counts/v1, got 'perennate.dev/counts/v2'",
    ),
    "another profile": (put("profileDigest", value="sha256:00"), r"profileDigest: must be sha256:"),
    "unknown field with a line break": (
        put("rows\nSent", value=1),
        r"^document: object contains unknown field rows\\nSent$",
    ),
    "unknown field": (put("rowsPerSecond", value=1), r"document: object contains unknown field rowsPerSecond"),
    "field is missing": (drop("below"), r"document: object missing required field below"),
    "rows negative": (put("rows", value=-1), r"rows: expected int >= 0"),
    "rows fractional": (put("rows", value=40.0), r"rows: expected int, got float"),
    "rows do not add up": (put("rows", value=41), r"counts\[0\]: bins, .* of 'f0' must add up to rows = 41, got 40"),
    "unknown feature": (put("features", 0, value="g"), r"features: must be the profile's features in their order"),
    "features out of order": (put("features", value=["f1", "f0", "f2", "country"]), r"features: must be the profile's"),
    "too few features": (lambda document: document["counts"].pop(), r"counts: must have 4 items, got 3"),
    "too many bins": (lambda document: document["counts"][1].append(0), r"counts\[1\]: must have 22 items, got 23"),
    "NaN count": (put("counts", 0, 0, value=float("nan")), r"counts\[0\]\[0\]: expected int, got float"),
    "negative count": (put("counts", 0, 0, value=-5), r"counts\[0\]\[0\]: expected int >= 0"),
    "huge count": (put("errors", value=2**60), r"errors: expected int <= 9007199254740992"),
    "too few special cells": (put("missing", value=[0]), r"missing: must have 4 items, got 1"),
    "sum of a category": (put("sum", 3, value=1.0), r"sum\[3\]: must be null for a category"),
    "missing sum of a number": (put("sumsq", 0, value=None), r"sumsq\[0\]: must be a finite number"),
    "infinite sum": (put("sum", 0, value=float("inf")), r"sum\[0\]: must be a finite number"),
    "start not a number": (put("start", value="now"), r"start: expected float, got str"),
    "start out of range": (
        put("start", value=1e30),
        r"start: expected float <= 9007199254740992",
    ),
    "start before 1970": (put("start", value=-1.0), r"start: expected float >= 0"),
    "score too short": (put("score", value=[]), r"score: must have \d+ items, got 0"),
    "unknown label": (put("labels", "2", value=[]), r"labels: object contains unknown field 2"),
    "label row is missing": (drop("labels", "1"), r"labels.1: is required"),
    "fewer rows seen than counted": (put("seen", value=39), r"seen: must be at least rows = 40, got 39"),
    "too few delays": (put("delays", value=[0]), r"delays: must have 8 items, got 1"),
    "offset not a whole number": (put("offsets", 0, value=0.5), r"offsets\[0\]: expected int \| null, got float"),
    "offset too large for the rows": (
        put("offsets", 0, value=40 * MAX_OFFSET + 1),
        r"offsets\[0\]: must be .* to 42949672960",
    ),
    "too few offsets": (put("offsets", value=[0]), r"offsets: must have 4 items, got 1"),
    "predictions of two classes": (put("prediction", value=[1, 2]), r"prediction: must have 0 items, got 2"),
    "matrix of two classes": (put("confusion", value=[[1]]), r"confusion: must have 0 items, got 1"),
    "residuals of two classes": (put("residuals", value={"bins": [1], "sums": []}), r"residuals.bins: must have 0"),
    "model not a text": (put("model", value=None), r"model: expected str, got null"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_malformed_counts_are_refused(change: Callable[[dict[str, Any]], Any], message: str) -> None:
    document = copy.deepcopy(GOOD)
    change(document)

    with pytest.raises(CountsError, match=message):
        validate_counts(document, PROFILE)


@pytest.mark.parametrize("document", [None, [], "counts", 3])
def test_other_json_values_are_refused(document: object) -> None:
    with pytest.raises(CountsError, match="document: expected object, got"):
        validate_counts(document, PROFILE)


def test_valid_counts_are_read() -> None:
    counts = validate_counts(GOOD, PROFILE)

    assert (counts.rows, counts.errors, counts.profile_digest) == (40, 0, PROFILE.digest)


def test_counts_of_an_older_release_are_read() -> None:
    """Fields that the older release lacks count as zero, and its offsets are derived from its sums."""
    document = copy.deepcopy(GOOD)
    for name in ("seen", "delays", "offsets"):
        del document[name]
    older, newer = validate_counts(document, PROFILE).cells, validate_counts(GOOD, PROFILE).cells
    layout = Layout(PROFILE)

    assert older[SEEN] == 40
    assert older[layout.offsets] == pytest.approx(newer[layout.offsets], abs=40)
    assert np.abs(newer[layout.offsets]).min() > 1000


def test_sums_of_squares_may_exceed_2_to_the_power_of_53() -> None:
    """Other counts may not; a sum of squared errors is limited to 64 bits."""
    profile = build_profile({"x": np.arange(9.0)}, task="regression", score=np.arange(9.0), labels=np.zeros(9))
    document = make_recorder(profile).document()
    document["residuals"]["sums"] = [1, 1, 0, 2**62, 2**62]
    layout = Layout(profile)

    assert validate_counts(document, profile).cells[layout.residual_sums].tolist() == [1, 1, 0, 2**62, 2**62]
    document["residuals"]["sums"][0] = 2**63
    with pytest.raises(CountsError, match=r"residuals.sums\[0\]: expected int <= 9223372036854775807"):
        validate_counts(document, profile)


@pytest.mark.parametrize(
    "values", [np.full(140_000, 1e300), np.full(140_000, -np.finfo(float).max)], ids=["up", "down"]
)
def test_counts_of_extreme_values_are_read(values: np.ndarray) -> None:
    """A large data fault must not make the counts invalid that reveal it."""
    profile = build_profile({"x": np.arange(9.0)}, task="regression")
    recorder = make_recorder(profile)
    recorder.record({"x": values})
    cells = validate_counts(json.loads(json.dumps(recorder.document())), profile).cells

    assert abs(int(cells[Layout(profile).offsets][0])) == values.size * MAX_OFFSET


@given(value=JSON, data=st.data())
@settings(max_examples=100, deadline=None)
def test_any_value_in_any_field_is_read_or_refused(value: object, data: st.DataObject) -> None:
    """Reading returns counts or raises CountsError, never another exception."""
    document: Any = copy.deepcopy(GOOD)
    position, step = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(position[step], dict | list) and position[step] and data.draw(st.booleans()):
        position = position[step]
        step = data.draw(
            st.sampled_from(sorted(position)) if isinstance(position, dict) else st.integers(0, len(position) - 1)
        )
    position[step] = value

    with contextlib.suppress(CountsError):
        validate_counts(document, PROFILE)
