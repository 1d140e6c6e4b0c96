"""Profiles of every kind of column, and refused input."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from perennate.drift.data.columns import DAY
from perennate.drift.data.errors import ProfileError
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.features import CategoricalFeature, NumericFeature
from perennate.drift.profile.profile import Profile
from tests.support.drift.makers import Coded, generator, make_columns, make_profile, make_scores


def numeric(values: Any) -> NumericFeature:
    """The feature that `build_profile` makes of a column."""
    feature = build_profile({"x": np.asarray(values)}, task="regression").features[0]
    assert isinstance(feature, NumericFeature)
    return feature


def test_continuous_column_is_cut_at_quantiles() -> None:
    """22 bins: 5 % each, with the tails split at 1 % and 99 %; the deciles are marked."""
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
        ([True, True], [0.0], [0, 2]),
        ([1.0, 2.0, np.nan, 4.0], [1.0, 2.0], [1, 1, 1]),
        ([np.nan, np.nan], [], [0]),
    ],
    ids=[
        "constant",
        "two values",
        "booleans are 0 and 1",
        "one boolean only",
        "missing values",
        "only missing values",
    ],
)
def test_few_values_have_a_bin_each(values: list[float], edges: list[float], counts: list[int]) -> None:
    """A column with up to 20 distinct values has a bin for each."""
    feature = numeric(values)

    assert feature.edges.tolist() == edges
    assert feature.counts.tolist() == counts
    assert feature.missing == len(values) - sum(counts)


@pytest.mark.parametrize("spike", [0.0, 1.0], ids=["60 % zeros", "60 % at the maximum"])
def test_spikes_give_strictly_rising_edges(spike: float) -> None:
    """A value that takes up most rows gets one edge, and every edge is below the maximum."""
    values = np.where(generator().random(5000) < 0.6, spike, generator(1).random(5000))
    feature = numeric(values)

    assert np.all(np.diff(feature.edges) > 0)
    assert feature.edges[-1] < values.max()
    assert feature.counts.max() == pytest.approx(3000, rel=0.1)


def test_deciles_have_at_least_two_cells() -> None:
    """If 95 % of the rows have the largest value, the other rows still have a cell of their own."""
    feature = numeric(np.r_[np.zeros(50), np.ones(950)])

    assert feature.decile.tolist() == [0]


def test_infinities_are_counted_in_the_outermost_bins() -> None:
    """Mean, minimum, maximum and edges stay finite."""
    feature = numeric([1.0, 2.0, 3.0, np.inf, -np.inf])

    assert feature.counts.tolist() == [2, 1, 2]
    assert (feature.mean, feature.minimum, feature.maximum) == (2.0, 1.0, 3.0)


def test_categories_by_frequency() -> None:
    """Categories are ordered by frequency, ties by name; equal values have one text."""
    values = np.array(["b", "a", "b", None, 1, 1.0, "1", True, np.nan], dtype=object)
    feature = build_profile({"x": values}, task="regression").features[0]

    assert isinstance(feature, CategoricalFeature)
    assert (feature.categories, feature.counts.tolist()) == (("1", "b", "a", "true"), [3, 2, 1, 1])
    assert (feature.missing, feature.other, feature.counted_rows) == (2, 0, None)


def test_object_columns_of_numbers_are_numeric() -> None:
    """`categorical` overrides this."""
    values = {"x": np.array([1, 2, None, 2.5], dtype=object)}

    assert build_profile(values, task="regression").features[0].kind == "numeric"
    assert build_profile(values, task="regression", categorical=["x"]).features[0].kind == "categorical"


def test_score_of_two_classes() -> None:
    """The threshold is an edge, the calibration is monotonic, baselines have errors, and class 2 is positive."""
    profile = make_profile()

    assert profile.positive == "1"
    assert profile.score is not None
    assert profile.score.kind == "probability"
    assert 0.5 in profile.score.edges
    assert profile.score.edges[profile.score.first_positive - 1] == 0.5
    assert profile.score.calibration is not None
    assert np.all(np.diff(profile.score.calibration) >= 0)
    assert set(profile.metrics) == {"accuracy", "precision", "recall", "f1", "auc", "logLoss", "brier"}
    assert all(0 < metric.standard_error < 0.05 for metric in profile.metrics.values())


def test_score_of_more_classes() -> None:
    """The score is the confidence, calibrated as the probability of a correct prediction."""
    draw = generator()
    predicted = draw.integers(0, 3, 4000)
    confidence = draw.uniform(1 / 3, 1, 4000)
    truth = np.where(draw.random(4000) < confidence, predicted, (predicted + 1) % 3)
    profile = build_profile(
        {"x": draw.normal(size=100)},
        task="classification",
        score=confidence,
        labels=np.array(["a", "b", "c"])[truth],
        predictions=np.array(["a", "b", "c"])[predicted],
        classes="abc",
    )

    assert profile.score is not None
    assert (profile.score.kind, profile.score.threshold, profile.label_kind) == ("confidence", None, "classes")
    assert profile.prediction is not None
    assert profile.prediction.tolist() == np.bincount(predicted).tolist()
    assert profile.score.calibration is not None
    assert profile.score.calibration[[0, -1]] == pytest.approx([1 / 3, 1], abs=0.15)
    accuracy = profile.metrics["accuracy"]
    assert accuracy.value == pytest.approx(np.mean(truth == predicted))
    assert accuracy.standard_error == pytest.approx(np.sqrt(accuracy.value * (1 - accuracy.value) / 4000))
    assert set(profile.metrics) == {"accuracy", "macroF1"}


def test_more_classes_without_predictions() -> None:
    """Without predictions there is no calibration, no prediction distribution and no metric."""
    profile = build_profile({"x": np.arange(9.0)}, task="classification", score=[0.5, 0.6], labels="ab", classes="abc")

    assert profile.score is not None
    assert (profile.score.calibration, profile.prediction, profile.metrics) == (None, None, {})


def test_score_of_a_regression() -> None:
    """The score is the prediction; the profile has residual bins, and mae, rmse and bias with standard errors."""
    draw = generator()
    truth, error = draw.normal(100, 20, 5000), draw.normal(0.5, 2, 5000)
    profile = build_profile(
        {"x": draw.normal(size=100)}, task="regression", score=truth + error, labels=truth, metrics={"r2": (0.5, 0.1)}
    )

    assert profile.score is not None
    assert (profile.score.kind, profile.label_kind) == ("prediction", "residuals")
    assert profile.residual is not None
    assert (profile.residual.bins, int(profile.residual.counts.sum())) == (22, 5000)
    wanted = {"mae": np.abs(error).mean(), "rmse": np.sqrt(np.mean(error**2)), "bias": error.mean()}
    for name, value in wanted.items():
        assert profile.metrics[name].value == pytest.approx(value, abs=profile.residual.unit)
        assert profile.metrics[name].standard_error == pytest.approx(2 / np.sqrt(5000), rel=0.5)
    assert profile.metrics["r2"].value == 0.5


TIMES = {
    "datetime64": np.array(["2026-03-01T00:00", "2026-03-02T12:00", "NaT"], dtype="M8[ns]"),
    "days": np.array(["2026-03-01", "2026-03-02", "NaT"], dtype="M8[D]"),
    "datetime": [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, 12), None],  # noqa: DTZ001
    "dates": [date(2026, 3, 1), date(2026, 3, 2), None],
    "zones": [datetime(2026, 3, 1, 2, tzinfo=timezone(timedelta(hours=2))), None, None],
}


@pytest.mark.parametrize("values", TIMES.values(), ids=TIMES)
def test_dates_of_every_type_are_seconds_since_1970(values: Any) -> None:
    array = values if isinstance(values, np.ndarray) else np.array(values, dtype=object)
    feature = build_profile({"x": array}, task="regression").features[0]

    assert isinstance(feature, NumericFeature)
    assert feature.kind == "datetime"
    assert feature.minimum == datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    assert feature.maximum in {feature.minimum, feature.minimum + DAY, feature.minimum + 1.5 * DAY}
    assert (feature.missing, feature.other) == (sum(str(value) in {"None", "NaT"} for value in array), 0)


def test_texts_are_times_if_the_column_is_named() -> None:
    """ISO 8601 texts are categories otherwise; in a named column, a text that is not a time is `other`."""
    values = {"x": np.array(["2026-03-01T06:00:00Z", "2026-03-01T08:00:00+01:00", "soon", None], dtype=object)}
    feature = build_profile(values, task="regression", datetimes=["x"]).features[0]

    assert isinstance(feature, NumericFeature)
    midnight = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    assert (feature.minimum, feature.maximum) == (midnight + 21_600.0, midnight + 25_200.0)
    assert (feature.missing, feature.other) == (1, 1)
    assert build_profile(values, task="regression").features[0].kind == "categorical"


@pytest.mark.parametrize(
    "values",
    [
        generator().normal(size=5000),
        generator().lognormal(0, 2, size=5000),
        generator().integers(0, 5, 999).astype(float),
        np.array([1.0]),
        np.array([-1.7e308, 0.0, 1.7e308] * 20),
        np.r_[generator().normal(size=400), np.inf, -np.inf],
    ],
    ids=["normal", "lognormal", "few values", "one row", "huge", "infinities"],
)
def test_grid_is_near_the_exact_quantiles(values: np.ndarray) -> None:
    """The 401 stored quantiles are within 1/255 of the width of their bin, and never fall."""
    feature = numeric(values)
    finite = values[np.isfinite(values)]
    ranks = [max(1, math.ceil(Fraction(step * values.size, 400))) for step in range(401)]
    wanted = np.sort(np.clip(values, finite.min(), finite.max()))[np.array(ranks) - 1]
    ends = np.concatenate(([finite.min()], feature.edges, [finite.max()]))

    assert feature.grid is not None
    assert np.all(np.diff(feature.grid) >= 0)
    position = np.clip(np.searchsorted(ends, wanted, side="left"), 1, ends.size - 1)
    assert np.all(np.abs(feature.grid / 2 - wanted / 2) <= (ends[position] / 2 - ends[position - 1] / 2) / 255 + 1e-12)


def test_profile_does_not_depend_on_the_order_of_the_rows() -> None:
    """Sums are computed in the order of the values."""
    columns = make_columns(3000)
    order = generator(1).permutation(3000)
    shuffled = {name: values[order] for name, values in columns.items()}

    first, second = (build_profile(rows, task="regression").to_bytes() for rows in (columns, shuffled))
    assert first == second


def test_a_coded_column_has_the_profile_of_its_values() -> None:
    values = np.array(["de", "fr", None, "de"], dtype=object)
    coded = Coded(["it", "de", "fr"], np.array([1, 2, -1, 1], dtype=np.int8))
    first, second = (build_profile({"x": column}, task="regression") for column in (values, coded))

    assert first.to_bytes() == second.to_bytes()


def test_importance_is_stored_in_the_profile() -> None:
    profile = build_profile(make_columns(50), task="regression", importance={"f1": 0.25})

    assert [feature.importance for feature in profile.features] == [None, 0.25, None, None]
    assert Profile.from_bytes(profile.to_bytes()).features[1].importance == 0.25


def test_profile_without_hold_out_rows() -> None:
    """Without hold-out rows there is no score and no baseline; training rows do not replace them."""
    profile = build_profile(make_columns(200), task="classification", classes=["no", "yes"])

    assert profile.score is None
    assert profile.metrics == {}
    assert profile.label_kind is None


def test_bytes_are_deterministic_and_small() -> None:
    """Equal rows give equal bytes and digests; 30 features take less than 50 kB."""
    first, second = make_profile(features=30), make_profile(features=30)

    assert first.to_bytes() == second.to_bytes()
    assert first.digest == second.digest
    assert first.digest.startswith("sha256:")
    assert first.digest != make_profile(seed=1, features=30).digest
    assert len(first.to_bytes()) < 50_000


def test_profile_round_trips_through_json() -> None:
    """A profile that is read and written has the same bytes, also after another program parsed it."""
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
    "durations": ({"columns": {"x": np.array([5], "m8[s]")}}, r"columns\['x'\]: .*convert durations to numbers"),
    "complex": ({"columns": {"x": np.array([1j])}}, r"columns\['x'\]: .*complex"),
    "a column called prediction": (
        {"columns": {"prediction": np.zeros(3)}},
        r"features\[0\].name: .* other than 'score' and 'prediction'",
    ),
    "unknown time column": ({"datetimes": ["z"]}, r"datetimes: must name columns, got 'z'"),
    "unknown important column": ({"importance": {"z": 1.0}}, r"importance: must name columns, got 'z'"),
    "too few predictions": (
        {"classes": "abc", "score": [0.5, 0.6], "predictions": ["a"]},
        r"predictions: must have 2 items, as scores has, got 1",
    ),
    "unknown category column": ({"categorical": ["z"]}, r"categorical: must name columns, got 'z'"),
    "a column called score": ({"columns": {"score": np.zeros(3)}}, r"features\[0\].name: .* other than 'score'"),
    "NaN score": ({"score": [0.5, np.nan]}, r"score: must be one-dimensional, not empty and finite"),
    "no score rows": ({"score": []}, r"score: must be one-dimensional, not empty"),
    "score outside 0 to 1": ({"score": [0.5, 1.5]}, r"score: must be probabilities, got 0.5 to 1.5"),
    "unknown label": (
        {"score": [0.5, 0.6], "labels": ["0", "2"]},
        r"labels: must be one of the classes \['0', '1'\], got '2'",
    ),
    "too few labels": ({"score": SCORES, "labels": LABELS[:-1]}, r"labels: must have 50 items, as scores has, got 49"),
    "one class": ({"classes": ["a"]}, r"classes: must be none for regression, else two or more, got 1"),
    "no classes": ({"classes": []}, r"classes: must be none for regression, else two or more, got 0"),
    "regression with classes": ({"task": "regression"}, r"classes: must be none for regression"),
    "no such task": ({"task": "clustering"}, r"task: must be one of classification, regression, got 'clustering'"),
}


@pytest.mark.parametrize(("changed", "message"), REFUSED.values(), ids=REFUSED)
def test_invalid_input_is_refused(changed: dict[str, Any], message: str) -> None:
    """The message names the field, the allowed values and the value found."""
    arguments: dict[str, Any] = {
        "columns": {"x": np.arange(5.0)},
        "task": "classification",
        "classes": [0, 1],
    } | changed
    columns = arguments.pop("columns")

    with pytest.raises(ProfileError, match=message):
        build_profile(columns, **arguments)


def test_regression_labels_must_be_finite_and_as_many_as_predictions() -> None:
    for labels, message in (
        ([1.0, np.nan], "finite numbers"),
        ([1.0], "have 2 items, as scores has, got 1"),
        ("ab", "finite"),
    ):
        with pytest.raises(ProfileError, match=f"labels: must .*{message}"):
            build_profile({"x": np.arange(5.0)}, task="regression", score=[1.0, 2.0], labels=list(labels))
