"""Reading profiles: a malformed profile is refused with the name of the wrong field."""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.data.errors import ProfileError
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.features import NumericFeature
from perennate.drift.profile.profile import MAX_BYTES, Profile
from perennate.drift.verdicts.verdict import DriftVerdict, evaluate_drift
from perennate.drift.windows.window import Window
from tests.support.drift.changes import JSON, drop, put
from tests.support.drift.makers import HOUR, START, generator, make_document, make_profile, make_scores

GOOD = json.loads(make_profile(rows=500, holdout=300).to_bytes())


F0, COUNTRY = ("features", 0), ("features", 3)
REFUSED = {
    "newer schema": (
        put("schema", value="perennate.dev/profile/v3"),
        r"schema: must be 'perennate.dev/profile/v2' or 'perennate.dev/profile/v1', got '.*/v3'; read it with",
    ),
    "no schema": (drop("schema"), r"schema: must be .* got None"),
    "unknown field": (put("extra", value=1), r"extra: is not a field of this schema"),
    "field is missing": (drop("rows"), r"rows: is required"),
    "unknown task": (put("task", value="ranking"), r"task: must be one of classification, regression, got 'ranking'"),
    "no features": (put("features", value=[]), r"features: must have 1 to 3000 items, got 0"),
    "features not a list": (put("features", value={}), r"features: must be a list"),
    "feature not an object": (
        put("features", 0, value=3),
        r"features\[0\].kind: must be one of categorical, numeric, boolean, datetime, got None",
    ),
    "unknown kind": (put(*F0, "kind", value="date"), r"features\[0\].kind: must be one of .*, got 'date'"),
    "duplicate name": (put(*F0, "name", value="f1"), r"features\[1\].name: must be a unique name"),
    "empty name": (put(*F0, "name", value=""), r"features\[0\].name: must be a unique name"),
    "falling edges": (
        put(*F0, "edges", 1, value=-99.0),
        r"features\[0\].edges: must be strictly increasing, got -99.0 after",
    ),
    "duplicate edge": (put(*F0, "edges", value=[0.0] * 21), r"features\[0\].edges: must be strictly increasing"),
    "edge not a number": (
        put(*F0, "edges", 1, value="a"),
        r"features\[0\].edges\[1\]: must be a finite number, got 'a'",
    ),
    "edge above maximum": (
        put(*F0, "maximum", value=0.0),
        r"features\[0\]: must have minimum <= edges < maximum",
    ),
    "edges without range": (
        lambda document: document["features"][0].update(minimum=None, maximum=None, mean=None, sd=None),
        r"features\[0\].edges: must be empty when there is no minimum",
    ),
    "half a range": (
        put(*F0, "minimum", value=None),
        r"features\[0\]: minimum, maximum, mean, sd must be all numbers",
    ),
    "negative sd": (put(*F0, "sd", value=-1.0), r"features\[0\]: must have minimum <= maximum and sd >= 0"),
    "decile out of range": (
        put(*F0, "decile", value=[21]),
        r"features\[0\].decile: must be strictly increasing indices below 21",
    ),
    "too few counts": (put(*F0, "counts", value=[500]), r"features\[0\].counts: must have 22 items, got 1"),
    "negative count": (put(*F0, "counts", 3, value=-1), r"features\[0\].counts\[3\]: must be a whole number from 0"),
    "fractional count": (put(*F0, "counts", 3, value=1.5), r"features\[0\].counts\[3\]: must be a whole number"),
    "boolean count": (put(*F0, "missing", value=True), r"features\[0\].missing: must be a whole number"),
    "huge count": (put(*F0, "counts", 0, value=10**30), r"features\[0\].counts\[0\]: must be a whole number"),
    "counts do not add up": (
        put(*F0, "missing", value=7),
        r"features\[0\]: counts, missing and other must add up to rows",
    ),
    "duplicate category": (
        put(*COUNTRY, "categories", 0, value="fr"),
        r"features\[3\].categories: must not contain duplicates",
    ),
    "category not a text": (
        put(*COUNTRY, "categories", 0, value=1),
        r"features\[3\].categories\[0\]: must be a string, got 1",
    ),
    "threshold off the edges": (put("score", "threshold", value=0.51), r"score.threshold: must be one of the edges"),
    "probability without threshold": (
        put("score", "threshold", value=None),
        r"score.threshold: must be one of the edges",
    ),
    "score kind of another task": (
        lambda document: document["score"].update(kind="prediction", threshold=None),
        r"score.kind: must be 'probability' here, got 'prediction'",
    ),
    "score counts do not add up": (
        put("holdoutRows", value=1),
        r"score.counts: must add up to holdoutRows = 1, got 300",
    ),
    "falling calibration": (
        put("score", "calibration", 0, value=1.0),
        r"score.calibration: must be probabilities that do not decrease",
    ),
    "calibration too short": (
        put("score", "calibration", value=[0.5]),
        r"score.calibration: must have \d+ items, got 1",
    ),
    "one class": (put("classes", value=["a"]), r"classes: must be none for regression, else two or more"),
    "metrics not an object": (put("metrics", value=[]), r"metrics: must be an object of at most 100 metrics, got \[\]"),
    "metric without error": (put("metrics", "auc", value={"value": 1.0}), r"metrics.auc.standardError: is required"),
    "grid not base64": (put(*F0, "grid", value="?"), r"features\[0\].grid: must be base64"),
    "grid not a text": (put(*F0, "grid", value=7), r"features\[0\].grid: must be a string, got 7"),
    "grid too short": (put(*F0, "grid", value="AAAA"), r"features\[0\].grid: must be 401 bytes in base64"),
    "falling grid": (
        put(*F0, "grid", value=base64.b64encode(bytes(range(255, 0, -1)) + bytes(146)).decode()),
        r"features\[0\].grid: must be 401 bytes in base64, ascending inside each bin",
    ),
    "grid of a score": (put("score", "grid", value=""), r"score.grid: must be 401 bytes"),
    "score without moments": (drop("score", "sd"), r"score.sd: is required"),
    "too few means": (put("score", "means", value=[]), r"score.means: must have \d+ items, got 0"),
    "predictions of two classes": (
        put("prediction", value={"counts": [150, 150]}),
        r"prediction: must be null unless there are more than two classes",
    ),
    "too few predictions": (put("prediction", value={"counts": [300]}), r"prediction.counts: must have 2 items, got 1"),
    "residual of classes": (
        put("residual", value={"edges": [], "counts": [300], "unit": 1.0}),
        r"residual: must be null for classification",
    ),
    "residual without unit": (
        put("residual", value={"edges": [], "counts": [300], "unit": 0.0}),
        r"residual.unit: must be a number above 0, got 0.0",
    ),
    "importance not a number": (
        put(*F0, "importance", value="high"),
        r"features\[0\].importance: must be a finite number",
    ),
    "negative error": (
        put("metrics", "auc", "standardError", value=-0.1),
        r"metrics.auc.standardError: must be a number of at least 0",
    ),
    "infinite metric": (
        put("metrics", "auc", "value", value=float("inf")),
        r"metrics.auc.value: must be a finite number",
    ),
    "too large an integer": (
        put("metrics", "auc", "value", value=10**400),
        r"metrics.auc.value: must be a finite number",
    ),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_malformed_profile_is_refused(change: Callable[[dict[str, Any]], None], message: str) -> None:
    document = copy.deepcopy(GOOD)
    change(document)

    with pytest.raises(ProfileError, match=message):
        Profile.from_document(document)


@pytest.mark.parametrize("document", [None, 3, [], "profile", {}])
def test_other_json_values_are_refused(document: object) -> None:
    with pytest.raises(ProfileError, match="schema: must be"):
        Profile.from_document(document)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "document: must be JSON"),
        (b"{", "document: must be JSON"),
        (b"\xff", "document: must be JSON"),
        (b'{"schema": NaN}', "document: must be JSON: JSON is malformed"),
        (b"[" * 5000, "document: must be JSON: maximum recursion depth exceeded"),
        (b"[" * 100_000, "document: must have at most 24000 objects and lists, got 100000"),
        (b" " * (MAX_BYTES + 1), f"must have at most {MAX_BYTES} bytes"),
    ],
    ids=["empty", "truncated", "not UTF-8", "NaN", "deeply nested", "more deeply nested", "too large"],
)
def test_malformed_bytes_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        Profile.from_bytes(content)


def in_previous_schema(document: dict[str, Any]) -> dict[str, Any]:
    """The profile in the schema of the previous release."""
    old = copy.deepcopy(document)
    old["schema"] = "perennate.dev/profile/v1"
    del old["prediction"], old["residual"], old["target"]
    for part in (*old["features"], old["score"]):
        for name in ("grid", "tolerance"):
            part.pop(name, None)
    for name in ("minimum", "maximum", "mean", "sd", "means", "missing"):
        del old["score"][name]
    return old


def test_a_profile_of_the_previous_schema_keeps_its_digest() -> None:
    """Pods and status refer to the digest of the file's bytes; fields that the old schema lacks are None."""
    content = json.dumps(in_previous_schema(GOOD), indent=1).encode()
    profile = Profile.from_bytes(content)

    assert profile.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert profile.to_bytes() == content
    assert isinstance(profile.features[0], NumericFeature)
    assert profile.features[0].grid is None
    assert profile.score is not None
    assert (profile.score.grid, profile.score.means, profile.label_kind) == (None, None, "scores")
    assert Profile.from_document(in_previous_schema(GOOD)).features[0].bins == profile.features[0].bins


def test_a_profile_of_the_previous_schema_gives_a_verdict() -> None:
    profile = Profile.from_document(in_previous_schema(json.loads(make_profile().to_bytes())))
    window = Window(profile, length=HOUR, scrape_interval=15)
    window.add(make_document(profile, rows=2000), pod="a", now=START + HOUR)

    assert evaluate_drift(window.sample(START + HOUR)).verdict is DriftVerdict.NONE


def test_fields_of_the_current_schema_are_refused_in_the_previous_one() -> None:
    document = in_previous_schema(GOOD) | {"residual": None}

    with pytest.raises(ProfileError, match="residual: is not a field of this schema"):
        Profile.from_document(document)


def test_bytes_with_another_digest_are_refused() -> None:
    """A caller that knows the digest detects a replaced or damaged file before it is parsed."""
    content = make_profile(rows=500, holdout=300).to_bytes()
    digest = Profile.from_bytes(content).digest

    assert Profile.from_bytes(content, digest=digest).digest == digest
    with pytest.raises(ProfileError, match=f"must have the digest {digest}, got sha256:"):
        Profile.from_bytes(content + b" ", digest=digest)


def test_profile_of_thirty_skewed_features_is_small() -> None:
    """Its 30 features with long numbers and long names, and its score, take less than 50 kB."""
    draw = generator()
    columns = {f"a feature with quite a long name {index:02d}": draw.lognormal(0, 2, 20_000) for index in range(30)}
    scores, labels = make_scores(4000)
    profile = build_profile(columns, task="classification", score=scores, labels=labels, classes=[0, 1])

    assert len(profile.to_bytes()) < 50_000


def test_a_file_of_100_mb_is_refused_before_parsing() -> None:
    with pytest.raises(ProfileError, match="document: must have at most 4194304 bytes, got 100000000"):
        Profile.from_bytes(bytes(100_000_000))


@given(value=JSON, data=st.data())
@settings(max_examples=100, deadline=None)
def test_any_value_in_any_field_is_read_or_refused(value: object, data: st.DataObject) -> None:
    """Reading returns a profile or raises ProfileError, never another exception."""
    document: Any = copy.deepcopy(GOOD)
    position, step = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(position[step], dict | list) and position[step] and data.draw(st.booleans()):
        position = position[step]
        step = data.draw(
            st.sampled_from(sorted(position)) if isinstance(position, dict) else st.integers(0, len(position) - 1)
        )
    position[step] = value

    with contextlib.suppress(ProfileError):
        Profile.from_document(document)


def test_bytes_are_canonical_json() -> None:
    """Sorted keys, no spaces, UTF-8, for any names of classes and columns."""
    strange = '"features":[]'
    profile = build_profile(
        {strange: ["größer", strange, None], '"]}': [1.5, 2.5, 3.5]},
        task="classification",
        classes=[strange, "no"],
        metrics={strange: (1.0, 0.1), "features": (1.0, 0.1)},
    )
    written = json.dumps(profile.to_document(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert profile.to_bytes() == written.encode()
    assert Profile.from_bytes(profile.to_bytes()).content is None, "the original bytes are kept only if they differ"
