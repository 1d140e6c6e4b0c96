"""A new model format needs no change in training, publishing or serving."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sklearn.datasets import load_breast_cancer

from perennate.api.documents.canonical import canonical_json
from perennate.api.documents.model_manifest import MANIFEST_FILE
from perennate.api.wellknown import ExitCode
from perennate.artifacts import FORMATS, ArtifactIncompatibleError, load_version, read_manifest
from perennate.serving.model.model import ServedModel
from tests.support.pods.artifacts import make_files, make_manifest
from tests.support.pods.neighbours import CLASS, NeighboursFormat
from tests.support.pods.runs import Run, make_spec
from tests.support.tree import ROOT

pytestmark = pytest.mark.runtime

ESTIMATOR = {"estimator": {"class": CLASS, "params": {"n_neighbors": 3}}}


REGISTER = """
from perennate.artifacts import FORMATS
from tests.support.pods.neighbours import NeighboursFormat
FORMATS._formats[NeighboursFormat().name] = NeighboursFormat()
"""


@pytest.fixture
def neighbours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> NeighboursFormat:
    """The second format, in the registry for one test: in this process and in those that it starts."""
    found = NeighboursFormat()
    monkeypatch.setitem(FORMATS._formats, found.name, found)
    (tmp_path / "modules").mkdir()
    # Python imports this module when it starts.
    (tmp_path / "modules" / "sitecustomize.py").write_text(REGISTER)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'modules'}{os.pathsep}{ROOT}")
    return found


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that trains an estimator of the second format."""
    run = Run(tmp_path / "run", tmp_path / "data", tmp_path / "store", make_spec(trainer=ESTIMATOR))
    frame = load_breast_cancer(as_frame=True).frame[["mean radius", "mean texture", "target"]]
    frame.head(200).to_csv(run.data / "breast_cancer.csv", index=False)
    return run


def test_a_model_of_a_new_format_is_trained_published_and_served(neighbours: NeighboursFormat, run: Run) -> None:
    """Train finds the format by the estimator class, publish by the file name, and serving by the manifest."""
    for stage in ("prepare", "train", "publish"):
        code, result = run.here(stage)
        assert code == ExitCode.DONE, result.error
    assert result.model_version is not None
    digest = result.model_version.digest
    folder = run.models.version_dir("tumours", digest)
    assert (folder / neighbours.file_name).is_file()
    loaded = load_version(folder, digest)
    assert (loaded.manifest.format, loaded.manifest.estimator) == ("neighbours", CLASS)
    model = ServedModel.load(folder, digest)
    batch = model.schema.read([{"mean radius": 12.0, "mean texture": 20.0}, {"mean radius": 25.0, "mean texture": 30}])
    assert model.predict(batch).predictions.tolist() == [1, 0]


def test_a_class_of_an_unregistered_format_cannot_be_trained(run: Run) -> None:
    """Only a class that a registered format lists can be trained."""
    code, result = run.here("prepare")
    assert code == ExitCode.BAD_CONFIGURATION
    assert result.error is not None
    assert "outside the list" in result.error.message


def test_a_version_of_an_unknown_format_is_rejected(tmp_path: Path) -> None:
    """The error for an unknown format names the formats that this release supports."""
    manifest = make_manifest(make_files(), format="onnx")
    (tmp_path / MANIFEST_FILE).write_bytes(canonical_json(manifest.to_document()))
    with pytest.raises(ArtifactIncompatibleError, match="the model format 'onnx', and this release reads skops"):
        read_manifest(tmp_path, manifest.digest)


def test_two_model_files_are_rejected(neighbours: NeighboursFormat, run: Run) -> None:
    """With two model files, the output of the train stage is ambiguous."""
    for stage in ("prepare", "train"):
        assert run.here(stage)[0] == ExitCode.DONE
    (run.paths.output / "model.skops").write_bytes(b"PK")
    code, result = run.here("publish")
    assert code == ExitCode.BAD_CONFIGURATION
    assert result.error is not None
    assert f"several model files (model.skops, {neighbours.file_name})" in result.error.message
