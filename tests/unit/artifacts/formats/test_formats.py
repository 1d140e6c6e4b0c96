"""The contract that every registered model format keeps, and a second format beside it."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from perennate.artifacts import FORMATS, ArtifactRefusedError, ModelFormat
from perennate.artifacts.formats.classes import class_paths
from perennate.artifacts.formats.registry import FormatRegistry
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
"""Models by format and class: at least one of each registered format."""

TAMPERED: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda content: b"",
    "cut off": lambda content: content[: len(content) // 2],
    "another format": lambda content: b"\x80\x04" + content,
    "one byte changed": lambda content: (
        content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 1]) + content[len(content) // 2 + 1 :]
    ),
}


@pytest.fixture(params=MODELS, ids=[f"{name}:{path.rpartition('.')[2]}" for name, path in MODELS])
def case(request: pytest.FixtureRequest) -> tuple[ModelFormat, object]:
    """A format and a fitted model of a class that it lists."""
    name, path = request.param
    model_format = FormatRegistry([*FORMATS, NeighboursFormat()]).by_name(name)
    module, _, class_name = path.rpartition(".")
    estimator = getattr(importlib.import_module(module), class_name)(**MODELS[request.param])
    target = TARGET if model_format.trainable.task(path) == "classification" else FEATURES["a"] * 2.0
    return model_format, estimator.fit(FEATURES, target)


def test_every_registered_format_is_tested() -> None:
    """A format that is registered and has no model in the table would pass this suite untested."""
    assert {item.name for item in FORMATS} <= {name for name, _ in MODELS}


def test_names_and_files_of_formats_are_unique_and_their_classes_are_disjoint() -> None:
    """The manifest names one format, the output folder is searched by file name, and a class has one format."""
    formats = list(FORMATS)
    assert len({item.name for item in formats}) == len({item.file_name for item in formats}) == len(formats)
    paths = [path for table in FORMATS.predictors for path in class_paths(table)]
    assert len(set(paths)) == len(paths)


def test_a_saved_model_passes_the_audit_and_predicts_the_same(case: tuple[ModelFormat, object]) -> None:
    """Save -> audit -> load -> predict changes no prediction, and equal models give equal bytes."""
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
def test_a_tampered_file_is_refused(case: tuple[ModelFormat, object], change: str) -> None:
    """Loading gives a model or ArtifactRefusedError, never another model."""
    model_format, estimator = case
    with pytest.raises(ArtifactRefusedError):
        model_format.load(TAMPERED[change](model_format.save(estimator)))


@pytest.mark.parametrize("change", ["nothing", "cut off", "another format"])
def test_the_audit_refuses_what_is_not_a_file_of_the_format(case: tuple[ModelFormat, object], change: str) -> None:
    """The audit alone refuses a file whose structure is wrong."""
    model_format, estimator = case
    with pytest.raises(ArtifactRefusedError):
        model_format.audit(TAMPERED[change](model_format.save(estimator)))


def test_a_name_or_a_file_name_is_registered_once() -> None:
    """Two formats under one name could not be told apart."""
    with pytest.raises(ValueError, match="is taken"):
        FormatRegistry([NeighboursFormat(), NeighboursFormat()])
