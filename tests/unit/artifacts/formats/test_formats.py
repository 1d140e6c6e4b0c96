"""The contract suite of model formats, run for every registered format and for a test format."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from perennate.artifacts import FORMATS, ArtifactRefusedError, ModelFormat
from perennate.artifacts.formats.classes import class_paths
from perennate.artifacts.versions.registry import FormatRegistry
from tests.support.pods.neighbours import CLASS, NeighboursFormat

ROWS = np.random.default_rng(3)
FEATURES = pd.DataFrame(ROWS.normal(size=(60, 3)), columns=["a", "b", "c"])
TARGET = (FEATURES["a"] > FEATURES["b"]).to_numpy()
MODELS = {
    ("skops", "sklearn.linear_model.LogisticRegression"): {"max_iter": 200},
    ("skops", "sklearn.svm.LinearSVC"): {},
    ("skops", "sklearn.linear_model.Ridge"): {},
    ("skops", "sklearn.tree.DecisionTreeRegressor"): {},
    ("neighbours", CLASS): {"n_neighbors": 3},
}
"""Parameters by format and class, with at least one class for each registered format."""

TAMPERED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "truncated": lambda content: content[: len(content) // 2],
    "another format": lambda content: b"\x80\x04" + content,
    "one byte changed": lambda content: (
        content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 1]) + content[len(content) // 2 + 1 :]
    ),
}


@pytest.fixture(params=MODELS, ids=[f"{name}:{path.rpartition('.')[2]}" for name, path in MODELS])
def case(request: pytest.FixtureRequest) -> tuple[ModelFormat, object]:
    """A format and a fitted model of one of its classes."""
    name, path = request.param
    model_format = FormatRegistry([*FORMATS, NeighboursFormat()]).by_name(name)
    module, _, class_name = path.rpartition(".")
    estimator = getattr(importlib.import_module(module), class_name)(**MODELS[request.param])
    target = TARGET if model_format.trainable.task(path) == "classification" else FEATURES["a"] * 2.0
    return model_format, estimator.fit(FEATURES, target)


def test_every_registered_format_is_covered() -> None:
    """Each registered format needs an entry in MODELS, otherwise this suite does not cover it."""
    assert {item.name for item in FORMATS} <= {name for name, _ in MODELS}


def test_names_and_files_of_formats_are_unique_and_their_classes_are_disjoint() -> None:
    """A name, a file name and an estimator class must each identify exactly one format."""
    formats = list(FORMATS)
    assert len({item.name for item in formats}) == len({item.file_name for item in formats}) == len(formats)
    paths = [path for table in FORMATS.predictors for path in class_paths(table)]
    assert len(set(paths)) == len(paths)


def test_a_saved_model_passes_the_audit_and_predicts_the_same(case: tuple[ModelFormat, object]) -> None:
    """Saving is deterministic, and saving and loading a model does not change its predictions."""
    model_format, estimator = case
    content = model_format.save(estimator)
    assert content == model_format.save(estimator)
    model_format.audit(content)
    loaded = model_format.load(content)
    want, found = (model_format.predict(item, FEATURES) for item in (estimator, loaded))
    np.testing.assert_array_equal(found.values, want.values)
    np.testing.assert_array_equal(found.values, estimator.predict(FEATURES))  # type: ignore[attr-defined]
    assert (found.probabilities is None) == (want.probabilities is None)
    if found.probabilities is not None and want.probabilities is not None:
        np.testing.assert_array_equal(found.probabilities, want.probabilities)
        assert found.probabilities.dtype == np.float64
    assert (loaded.n_features_in_, found.values.shape) == (3, (60,))
    assert model_format.class_name(loaded) in class_paths(
        model_format.trainable.classifiers, model_format.trainable.regressors
    )


@pytest.mark.parametrize("change", TAMPERED)
def test_a_tampered_file_is_rejected(case: tuple[ModelFormat, object], change: str) -> None:
    """Loading a modified file raises ArtifactRefusedError and never returns another model."""
    model_format, estimator = case
    with pytest.raises(ArtifactRefusedError):
        model_format.load(TAMPERED[change](model_format.save(estimator)))


@pytest.mark.parametrize("change", ["empty", "truncated", "another format"])
def test_the_audit_rejects_files_that_are_not_of_the_format(case: tuple[ModelFormat, object], change: str) -> None:
    """The audit alone detects a file with an invalid structure."""
    model_format, estimator = case
    with pytest.raises(ArtifactRefusedError):
        model_format.audit(TAMPERED[change](model_format.save(estimator)))


def test_a_name_can_be_registered_only_once() -> None:
    """Registering a format with the name of another is an error."""
    with pytest.raises(ValueError, match="is taken"):
        FormatRegistry([NeighboursFormat(), NeighboursFormat()])
