"""A model file states the scikit-learn that wrote it, and another minor version is rejected by name."""

from __future__ import annotations

import io
import json
import zipfile
from importlib.metadata import version

import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from perennate.artifacts import ArtifactIncompatibleError, ArtifactRefusedError
from perennate.artifacts.formats.skops.format import SkopsFormat
from perennate.artifacts.formats.skops.saving import save_estimator

X, Y = load_iris(return_X_y=True)
INSTALLED = version("scikit-learn")


def written_by(content: bytes, *, library: str, times: int = -1) -> bytes:
    """The model file with another version of scikit-learn in the first parts of its model."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            member = source.read(name)
            if name == "schema.json":
                stated = json.dumps(json.dumps(INSTALLED)).encode()
                member = member.replace(stated, json.dumps(json.dumps(library)).encode(), times)
            archive.writestr(name, member)
    return target.getvalue()


@pytest.fixture(scope="module")
def model() -> bytes:
    """A pipeline: each part states the version."""
    return save_estimator(make_pipeline(StandardScaler(), RandomForestClassifier(3, random_state=0)).fit(X, Y))


def test_the_file_states_its_libraries(model: bytes) -> None:
    assert SkopsFormat().versions(model) == {"scikit-learn": INSTALLED, "skops": version("skops")}


@pytest.mark.parametrize("library", ["1.7.2", "0.24.2", "1.10.0", "2.9.1", "1.8.0rc1"])
def test_a_file_of_another_minor_version_is_rejected_by_name(model: bytes, library: str) -> None:
    """The message has both versions. The check precedes the audit and loading, which fail in other words."""
    content = written_by(model, library=library)
    with pytest.raises(ArtifactIncompatibleError, match=rf"with scikit-learn {library}, and {INSTALLED} is installed"):
        SkopsFormat().load(content)
    assert SkopsFormat().versions(content)["scikit-learn"] == library


def test_one_part_of_another_version_is_enough(model: bytes) -> None:
    """A pipeline may contain an estimator that was fitted elsewhere and loaded."""
    with pytest.raises(ArtifactIncompatibleError, match=r"1\.7\.2"):
        SkopsFormat().load(written_by(model, library="1.7.2", times=1))


def test_a_file_of_another_patch_version_is_loaded(model: bytes) -> None:
    patch = ".".join([*INSTALLED.split(".")[:2], "99"])
    with pytest.warns(match="Trying to unpickle"):
        SkopsFormat().load(written_by(model, library=patch))
    assert SkopsFormat().versions(written_by(model, library=patch))["scikit-learn"] == patch


@pytest.mark.filterwarnings("ignore:Trying to unpickle")
@pytest.mark.parametrize("stated", [3, None, ["1.7.2"], {"a": 1}])
def test_a_version_that_is_no_text_is_not_a_version(model: bytes, stated: object) -> None:
    """A crafted file may state anything."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(model)) as source, zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            member = source.read(name).replace(
                json.dumps(json.dumps(INSTALLED)).encode(), json.dumps(json.dumps(stated)).encode()
            )
            archive.writestr(name, member)
    assert "scikit-learn" not in SkopsFormat().versions(target.getvalue())
    with pytest.raises(ArtifactRefusedError, match="does not state"):
        SkopsFormat().load(target.getvalue())


def test_a_search_is_rejected_with_what_to_save_instead() -> None:
    search = GridSearchCV(RandomForestClassifier(2), {"max_depth": [1, 2]}, cv=2).fit(X, Y)
    with pytest.raises(
        ArtifactRefusedError, match=r"GridSearchCV is a search and not a model: save its best_estimator_"
    ):
        SkopsFormat().load(save_estimator(search))
    SkopsFormat().load(save_estimator(search.best_estimator_))
