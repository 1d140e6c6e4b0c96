"""Predictor of a served model equal those of its estimator, for any input form."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC

from perennate.api.documents.model_manifest import FeatureSchema
from perennate.artifacts import ArtifactError, load_verified
from perennate.drift import build_profile
from perennate.serving.model.adapters import as_frame, as_matrix
from perennate.serving.model.model import ServedModel
from perennate.serving.model.schema import InputSchema
from tests.support.pods.serving import Published, publish, weather_frame

Models = Mapping[str, ServedModel]
Versions = Mapping[str, Published]
NAMES = ["rain", "gaps", "clothes", "height", "forest"]


@pytest.mark.parametrize("name", NAMES)
def test_predictions_equal_those_of_the_estimator(name: str, models: Models, published: Versions) -> None:
    """Records give what the estimator gives for the DataFrame of the same rows, except for rounding."""
    version = published[name]
    rows = version.rows.iloc[:200]
    batch = models[name].schema.read(version.records(200))
    outcome = models[name].predict(batch)
    if version.manifest.task == "regression":
        np.testing.assert_allclose(outcome.predictions, version.estimator.predict(rows), rtol=1e-9)
    else:
        assert outcome.probabilities is not None
        np.testing.assert_array_equal(outcome.predictions, version.estimator.predict(rows))
        np.testing.assert_allclose(outcome.probabilities, version.estimator.predict_proba(rows), rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_score_of_each_type_of_model(name: str, models: Models, published: Versions) -> None:
    """P(second class) of two classes, the highest probability of more, the prediction of a regression."""
    outcome = models[name].predict(models[name].schema.read(published[name].records(50)))
    assert outcome.scores is not None
    if name == "height":
        np.testing.assert_array_equal(outcome.scores, outcome.predictions)
    else:
        assert outcome.probabilities is not None
        want = outcome.probabilities.max(axis=1) if name == "clothes" else outcome.probabilities[:, 1]
        np.testing.assert_array_equal(outcome.scores, want)


def test_a_model_without_probabilities_predicts_and_has_no_score(models: Models, published: Versions) -> None:
    version = published["ridge"]
    outcome = models["ridge"].predict(models["ridge"].schema.read(version.records(100)))
    np.testing.assert_array_equal(outcome.predictions, version.estimator.predict(version.rows[:100]))
    assert (outcome.probabilities, outcome.scores) == (None, None)


def test_a_matrix_without_column_names_is_no_warning(published: Versions) -> None:
    """scikit-learn would warn on every request; all other warnings stay errors."""
    version = published["rain"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ServedModel(load_verified(version.store.read(version.model, version.digest)), version.digest)
        assert model._adapt is as_matrix
        model.predict(model.schema.read(version.records(2)))


def test_input_is_a_matrix_for_numbers_and_a_frame_for_named_columns(models: Models) -> None:
    """The faster form is used only if it gives the same predictions."""
    forms = {name: model._adapt for name, model in models.items()}
    assert forms == {
        "rain": as_matrix,
        "gaps": as_matrix,
        "clothes": as_frame,
        "height": as_matrix,
        "forest": as_matrix,
        "ridge": as_matrix,
    }


def test_accepted_missing_values_are_found_by_trial(models: Models) -> None:
    """Values were missing in training, and the model predicts without them: an imputer and a forest always would."""
    accepted = {name: sorted(model.schema.accepts_missing) for name, model in models.items()}
    assert accepted == {
        "rain": [],
        "gaps": ["TEMP"],
        "clothes": [],
        "height": [],
        "forest": [],
        "ridge": [],
    }


@pytest.mark.filterwarnings("ignore:The `probability` parameter was deprecated:FutureWarning")
def test_predict_decides_if_probabilities_disagree(tmp_path: Path) -> None:
    """The class that a support vector machine predicts can differ from its most probable class."""
    frame, labels = weather_frame(160, seed=11)
    version = publish(tmp_path, SVC(probability=True, random_state=0), frame, labels, model="margin")
    model = ServedModel(load_verified(version.store.read("margin", version.digest)), version.digest)
    frame, _ = weather_frame(3000, seed=12)
    outcome = model.predict(model.schema.read(frame.to_dict("records")))
    assert outcome.probabilities is not None
    np.testing.assert_array_equal(outcome.predictions, version.estimator.predict(frame))
    assert np.any(outcome.predictions != outcome.probabilities.argmax(axis=1)), (
        "predictions and probabilities must disagree"
    )


def test_a_version_with_a_profile_of_other_features_is_refused(published: Versions) -> None:
    """Otherwise rows would be counted against the wrong profile without an error."""
    version, other = published["rain"], published["height"]
    loaded = load_verified(version.store.read("rain", version.digest))
    foreign = dataclasses.replace(loaded, profile=other.profile.to_bytes())
    with pytest.raises(ArtifactError, match=r"features \['TEMP', .*the profile \['a', 'b'\]"):
        ServedModel(foreign, version.digest)


def test_a_manifest_with_other_classes_is_refused(published: Versions) -> None:
    """Labels are compared with the classes of the manifest, so they must equal those of the model."""
    version = published["rain"]
    loaded = load_verified(version.store.read("rain", version.digest))
    wrong = dataclasses.replace(loaded, manifest=loaded.manifest.model_copy(update={"classes": ("1", "0")}))
    with pytest.raises(ArtifactError, match=r"classes \['1', '0'\] and the model \[0, 1\]"):
        ServedModel(wrong, version.digest)


def test_a_model_that_refuses_rows_like_those_of_training_is_not_loaded(tmp_path: Path) -> None:
    """The error names exception and place, but no value. Here the profile has a category that the encoder lacks."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"sky": rng.choice(["clear", "fog"], 80), "x": rng.normal(size=80)})
    encode = make_column_transformer((OneHotEncoder(), ["sky"]), remainder="passthrough")
    labels = [int(value > 0) for value in frame["x"]]
    version = publish(tmp_path, make_pipeline(encode, LogisticRegression()), frame, labels, model="sky")
    rows = {"sky": np.array(["nova"] * 60, dtype=object), "x": frame["x"].to_numpy()[:60]}
    other = build_profile(rows, task="regression")
    loaded = load_verified(version.store.read("sky", version.digest))
    profile = dataclasses.replace(version.profile, features=other.features)
    with pytest.raises(
        ArtifactError, match="cannot predict rows like those it was trained on: ValueError in"
    ) as caught:
        ServedModel(dataclasses.replace(loaded, profile=profile.to_bytes()), version.digest)
    assert "nova" not in str(caught.value)


def test_missing_booleans_reach_the_model_as_nan() -> None:
    """As in training: the imputers of scikit-learn look for NaN. Missing text stays None."""
    schema = InputSchema(
        [FeatureSchema(name="member", type="boolean"), FeatureSchema(name="town", type="string")], ["member", "town"]
    )
    batch = schema.read([{"member": True, "town": "Bonn"}, {"member": None, "town": None}])
    found = as_frame(batch, nullable_booleans=["member"])
    assert found["member"].tolist()[0] is True
    assert math.isnan(found["member"].tolist()[1])
    assert found["town"].tolist() == ["Bonn", None]
    assert batch.columns["member"].tolist() == [True, None]
