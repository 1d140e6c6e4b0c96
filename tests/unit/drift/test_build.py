"""Profiles of every kind of column, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from perennate.drift.build import build_profile
from perennate.drift.features import CategoricalFeature, NumericFeature
from perennate.drift.profile import Profile, ProfileError
from tests.unit.drift.makers import generator, make_columns, make_profile, make_scores


def numeric(values: Any) -> NumericFeature:
    """The feature that a column becomes."""
    feature = build_profile({"x": np.asarray(values)}, task="regression").features[0]
    assert isinstance(feature, NumericFeature)
    return feature


def test_continuous_column_is_cut_at_quantiles() -> None:
    """22 bins of 5 %, the tails split at 1 % and 99 %; deciles are marked."""
    feature = numeric(generator().normal(size=10_000))

    assert feature.bins == 22
    assert feature.counts.tolist() == [100, 400, *[500] * 18, 400, 100]
    assert feature.decile.tolist() == list(range(2, 20, 2))


@pytest.mark.parametrize(
    ("values", "edges", "counts"),
    [
        ([3.0] * 5, [], [5]),
        ([0, 1, 1, 0, 1], [0.0], [2, 3]),
        ([True, False, True], [0.0], [1, 2]),
        ([1.0, 2.0, np.nan, 4.0], [1.0, 2.0], [1, 1, 1]),
        ([np.nan, np.nan], [], [0]),
    ],
    ids=["constant", "two values", "booleans are 0 and 1", "missing values", "nothing but missing values"],
)
def test_few_values_have_a_bin_each(values: list[float], edges: list[float], counts: list[int]) -> None:
    """Up to 20 distinct values, every value has its own bin."""
    feature = numeric(values)

    assert feature.edges.tolist() == edges
    assert feature.counts.tolist() == counts
    assert feature.missing == len(values) - sum(counts)


@pytest.mark.parametrize("spike", [0.0, 1.0], ids=["60 % zeros", "60 % at the maximum"])
def test_spikes_make_no_double_edges(spike: float) -> None:
    """A value that takes up most rows gets one edge, and no edge reaches the maximum."""
    values = np.where(generator().random(5000) < 0.6, spike, generator(1).random(5000))
    feature = numeric(values)

    assert np.all(np.diff(feature.edges) > 0)
    assert feature.edges[-1] < values.max()
    assert feature.counts.max() == pytest.approx(3000, rel=0.1)


def test_decile_is_never_blind() -> None:
    """PSI over one cell would be blind: with 95 % of the rows at the largest value the rare ones stay apart."""
    feature = numeric(np.r_[np.zeros(50), np.ones(950)])

    assert feature.decile.tolist() == [0]


def test_infinities_are_counted_but_not_measured() -> None:
    """Infinite values fall into the outermost bins and leave mean and edges finite."""
    feature = numeric([1.0, 2.0, 3.0, np.inf, -np.inf])

    assert feature.counts.tolist() == [2, 1, 2]
    assert (feature.mean, feature.minimum, feature.maximum) == (2.0, 1.0, 3.0)


def test_categories_by_frequency() -> None:
    """The 50 most frequent categories are kept, ties by name, the rest is `other`; equal values have one text."""
    values = np.array(["b", "a", "b", None, 1, 1.0, "1", True, np.nan], dtype=object)
    feature = build_profile({"x": values}, task="regression").features[0]
    many = build_profile({"x": np.array([f"c{index % 70:02d}" for index in range(100)])}, task="regression").features[0]

    assert isinstance(feature, CategoricalFeature)
    assert (feature.categories, feature.counts.tolist()) == (("1", "b", "a", "true"), [3, 2, 1, 1])
    assert (feature.missing, feature.other) == (2, 0)
    assert isinstance(many, CategoricalFeature)
    assert len(many.categories) == 50
    assert many.categories[0] == "c00"
    assert many.other == 20


def test_object_numbers_are_numeric_unless_told_otherwise() -> None:
    """A column of Python numbers is numeric; `categorical` makes it a category."""
    values = {"x": np.array([1, 2, None, 2.5], dtype=object)}

    assert build_profile(values, task="regression").features[0].kind == "numeric"
    assert build_profile(values, task="regression", categorical=["x"]).features[0].kind == "categorical"


def test_score_of_two_classes() -> None:
    """The threshold is an edge, calibration rises, baselines have standard errors, the second class is positive."""
    profile = make_profile()

    assert profile.positive == "1"
    assert profile.score is not None
    assert profile.score.kind == "probability"
    assert 0.5 in profile.score.edges
    assert profile.score.edges[profile.score.first_positive - 1] == 0.5
    assert profile.score.calibration is not None
    assert np.all(np.diff(profile.score.calibration) >= 0)
    assert set(profile.metrics) == {"accuracy", "precision", "recall", "f1", "auc"}
    assert all(0 < metric.standard_error < 0.05 for metric in profile.metrics.values())


def test_score_of_more_classes_and_of_regression() -> None:
    """More classes: the confidence, without labels. Regression: the prediction, with mae and rmse."""
    draw = generator()
    columns = {"x": draw.normal(size=100)}
    many = build_profile(columns, task="classification", score=draw.random(50), labels=["a"] * 50, classes="abc")
    truth = draw.normal(size=50)
    line = build_profile(columns, task="regression", score=truth + 0.5, labels=truth, metrics={"r2": (0.5, 0.1)})

    assert many.score is not None
    assert (many.score.kind, many.score.threshold, many.label_kind, many.metrics) == ("confidence", None, "classes", {})
    assert line.score is not None
    assert (line.score.kind, line.label_kind) == ("prediction", None)
    assert line.metrics["mae"].value == pytest.approx(0.5)
    assert line.metrics["rmse"].value == pytest.approx(0.5)
    assert line.metrics["r2"].value == 0.5


def test_profile_without_hold_out_rows() -> None:
    """Without hold-out rows there is no score and no baseline, rather than one from training rows."""
    profile = build_profile(make_columns(200), task="classification", classes=["no", "yes"])

    assert profile.score is None
    assert profile.metrics == {}
    assert profile.label_kind is None


def test_bytes_are_deterministic_and_small() -> None:
    """The same rows give the same bytes and digest; 30 features take less than 50 kB."""
    first, second = make_profile(features=30), make_profile(features=30)

    assert first.to_bytes() == second.to_bytes()
    assert first.digest == second.digest
    assert first.digest.startswith("sha256:")
    assert first.digest != make_profile(seed=1, features=30).digest
    assert len(first.to_bytes()) < 50_000


def test_profile_survives_the_way_through_json() -> None:
    """Reading what was written gives the same bytes, also after another program parsed it."""
    profile = make_profile()
    document = json.loads(profile.to_bytes())

    assert Profile.from_bytes(profile.to_bytes()).digest == profile.digest
    assert Profile.from_document(document).to_bytes() == profile.to_bytes()


SCORES, LABELS = make_scores(50)
REFUSED = {
    "no columns": ({"columns": {}}, r"columns: must hold at least one column"),
    "no rows": ({"columns": {"x": np.zeros(0)}}, r"columns\['x'\]: must be one-dimensional, not empty"),
    "ragged": ({"columns": {"x": np.zeros(3), "y": np.zeros(4)}}, r"columns\['y'\]: .* as long as the others"),
    "a matrix": ({"columns": {"x": np.zeros((3, 2))}}, r"columns\['x'\]: must be one-dimensional"),
    "dates": ({"columns": {"x": np.array(["2026-01-01"], "M8[D]")}}, r"columns\['x'\]: .*turn times into numbers"),
    "complex": ({"columns": {"x": np.array([1j])}}, r"columns\['x'\]: .*complex"),
    "unknown category column": ({"categorical": ["z"]}, r"categorical: must name columns, got 'z'"),
    "a column called score": ({"columns": {"score": np.zeros(3)}}, r"features\[0\].name: .* other than 'score'"),
    "NaN score": ({"score": [0.5, np.nan]}, r"score: must be one-dimensional, not empty and finite"),
    "no score rows": ({"score": []}, r"score: must be one-dimensional, not empty"),
    "score outside 0 to 1": ({"score": [0.5, 1.5]}, r"score: must be probabilities, got 0.5 to 1.5"),
    "unknown label": (
        {"score": [0.5, 0.6], "labels": ["0", "2"]},
        r"labels: must be among classes \['0', '1'\], got '2'",
    ),
    "too few labels": ({"score": SCORES, "labels": LABELS[:-1]}, r"labels: must be as many as scores, 50, got 49"),
    "one class": ({"classes": ["a"]}, r"classes: must be none for regression, else two or more, got 1"),
    "no classes": ({"classes": []}, r"classes: must be none for regression, else two or more, got 0"),
    "regression with classes": ({"task": "regression"}, r"classes: must be none for regression"),
    "no such task": ({"task": "clustering"}, r"task: must be one of classification, regression, got 'clustering'"),
}


@pytest.mark.parametrize(("changed", "message"), REFUSED.values(), ids=REFUSED)
def test_unfit_input_is_refused(changed: dict[str, Any], message: str) -> None:
    """What cannot be described is refused with the field, what is allowed, and what was given."""
    arguments: dict[str, Any] = {
        "columns": {"x": np.arange(5.0)},
        "task": "classification",
        "classes": [0, 1],
    } | changed
    columns = arguments.pop("columns")

    with pytest.raises(ProfileError, match=message):
        build_profile(columns, **arguments)


def test_regression_labels_must_fit() -> None:
    """True values of a regression are finite numbers, one for each prediction."""
    with pytest.raises(ProfileError, match="labels: must be finite numbers, as many as scores, 2"):
        build_profile({"x": np.arange(5.0)}, task="regression", score=[1.0, 2.0], labels=[1.0, np.nan])
