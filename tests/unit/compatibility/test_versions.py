"""Model versions of release 0.1.0: manifest, model, profile and model card."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import sklearn
from pyarrow import parquet

from perennate.api.documents.canonical import canonical_json, digest_bytes
from perennate.api.documents.captured_rows import PREDICTION, file_pattern
from perennate.api.documents.metric import Metric, MetricValue
from perennate.api.documents.model_manifest import FeatureSchema, FileEntry, ModelManifest
from perennate.artifacts import ArtifactIncompatibleError, read_version
from perennate.drift import Profile
from perennate.drift.profile.features import CategoricalFeature, NumericFeature
from perennate.serving.model.model import ServedModel
from tests.support.first_release import FOLDER, content, document

FEATURES = (
    FeatureSchema(name="hours", type="number"),
    FeatureSchema(name="city", type="string"),
    FeatureSchema(name="holiday", type="boolean"),
)
VERSIONS = {
    "classification": "sha256:ab8639100df427ba61eb465673a240ba6cf1ca453c12609e6bf8855d568ac200",
    "regression": "sha256:de575faba6058740d6b7f89f13da603a6d4952eb8868db7adedd9be93cd795e0",
}
every_version = pytest.mark.parametrize("name", VERSIONS)


@every_version
def test_a_manifest_keeps_its_digest(name: str) -> None:
    """The digest of the manifest names the version: if it changed, stored versions could not be found."""
    manifest = ModelManifest.read(content(f"{name}/version/manifest.json"))
    assert manifest.digest == digest_bytes(content(f"{name}/version/manifest.json")) == VERSIONS[name]
    assert canonical_json(manifest.to_document()) == content(f"{name}/version/manifest.json")


def test_a_manifest_keeps_its_values() -> None:
    manifest = ModelManifest.read(content("classification/version/manifest.json"))
    assert (manifest.model, manifest.task, manifest.format) == ("delays", "classification", "skops")
    assert (manifest.estimator, manifest.target) == ("sklearn.linear_model.LogisticRegression", "late")
    assert (manifest.classes, manifest.class_type) == (("late", "on time"), "string")
    assert manifest.features == FEATURES
    assert manifest.metrics == (
        MetricValue(name=Metric.AUC, value=0.6146146146146145),
        MetricValue(name=Metric.ACCURACY, value=0.546875),
    )
    assert manifest.environment["scikit-learn"] == "1.9.1"
    card = content("classification/version/MODEL_CARD.md")
    assert manifest.files[0] == FileEntry(path="MODEL_CARD.md", digest=digest_bytes(card), size=len(card))


@every_version
def test_a_version_is_verified(name: str) -> None:
    """All files of a stored version match the digests of its manifest."""
    version = read_version(FOLDER / name / "version", VERSIONS[name])
    assert set(version.files) == {"model.skops", "profile.json", "MODEL_CARD.md"}
    assert version.profile == content(f"{name}/version/profile.json")


@every_version
def test_a_model_predicts_the_same(name: str) -> None:
    """Predictions equal those of 0.1.0; with another minor version of scikit-learn, the model is rejected."""
    folder, trained_with = FOLDER / name / "version", document(f"{name}/version/manifest.json")["environment"]
    if trained_with["scikit-learn"].split(".")[:2] != sklearn.__version__.split(".")[:2]:
        with pytest.raises(ArtifactIncompatibleError):
            ServedModel.load(folder, VERSIONS[name])
        return
    model = ServedModel.load(folder, VERSIONS[name])
    (path,) = (FOLDER / name / "captured").glob(file_pattern("rows"))
    rows = parquet.ParquetFile(path).read()
    outcome = model.predict(model.schema.read(rows.select([feature.name for feature in FEATURES]).to_pylist()))
    wanted = rows[PREDICTION].to_pylist()
    if name == "regression":
        np.testing.assert_allclose(outcome.predictions, wanted, rtol=1e-12)
    else:
        assert pa.array(outcome.predictions.tolist()).to_pylist() == wanted


@every_version
def test_a_profile_keeps_its_digest(name: str) -> None:
    """Counts refer to the digest of their profile, so it must not change."""
    stored = content(f"{name}/version/profile.json")
    profile = Profile.from_bytes(stored, digest=document(f"{name}/version/manifest.json")["profileDigest"])
    assert profile.to_bytes() == stored


def test_a_profile_keeps_its_values() -> None:
    profile = Profile.from_bytes(content("classification/version/profile.json"))
    assert (profile.task, profile.classes) == ("classification", ("late", "on time"))
    assert (profile.rows, profile.holdout_rows) == (96, 64)
    assert (profile.metrics["auc"].value, profile.metrics["auc"].standard_error) == (
        0.6146146146146146,
        0.06967553324184586,
    )
    hours, city, holiday = profile.features
    assert isinstance(hours, NumericFeature)
    assert isinstance(city, CategoricalFeature)
    assert (hours.name, hours.kind, hours.missing, hours.mean) == ("hours", "numeric", 10, 8.000813953488374)
    assert (city.name, city.categories) == ("city", ("Oslo", "Tromsø", "Bergen"))
    assert (holiday.name, holiday.kind) == ("holiday", "boolean")
    assert int(hours.counts.sum()) + hours.missing == int(city.counts.sum()) == 96
