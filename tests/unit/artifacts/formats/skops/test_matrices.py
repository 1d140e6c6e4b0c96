"""Sparse matrices and splines with indices out of range are rejected before scipy follows them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer
from sklearn.svm import SVC

from perennate.artifacts import ArtifactRefusedError
from perennate.artifacts.formats.skops.loading import load_estimator
from perennate.artifacts.formats.skops.saving import save_estimator

DRAW = np.random.default_rng(2)
LEVELS = DRAW.integers(0, 5, (60, 2)).astype(np.float64)
CLASSES = (LEVELS[:, 0] > 2).astype(int)
Arrays = dict[str, np.ndarray[Any, Any]]


def replaced(content: bytes, suffix: str, change: Callable[[bytes], bytes]) -> bytes:
    """The model file with `change` applied to the members with a suffix."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, change(source.read(name)) if name.endswith(suffix) else source.read(name))
    return target.getvalue()


def with_arrays(change: Callable[[Arrays], object]) -> Callable[[bytes], bytes]:
    """A change of the arrays of a sparse matrix."""

    def changed(member: bytes) -> bytes:
        arrays = dict(np.load(io.BytesIO(member)))
        change(arrays)
        target = io.BytesIO()
        np.savez(target, **arrays)
        return target.getvalue()

    return changed


@pytest.fixture(scope="module")
def sparse_model() -> bytes:
    """A support vector machine behind a sparse encoder, as its default is: it keeps a sparse matrix."""
    return save_estimator(make_pipeline(OneHotEncoder(), SVC()).fit(LEVELS, CLASSES))


CHANGES: dict[str, Callable[[Arrays], object]] = {
    "an index far out of range": lambda arrays: arrays["indices"].__setitem__(0, 10_000_000),
    "an index just out of range": lambda arrays: arrays["indices"].__setitem__(0, int(arrays["shape"][1])),
    "a negative index": lambda arrays: arrays["indices"].__setitem__(0, -7),
    "pointers that decrease": lambda arrays: arrays["indptr"].__setitem__(1, 10_000),
    "fewer indices than values": lambda arrays: arrays.update(indices=arrays["indices"][:-3]),
    "another format": lambda arrays: arrays.update(format=np.array(b"dia")),
    "an unknown format": lambda arrays: arrays.update(format=np.array(b"evil")),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_sparse_matrix_that_points_outside_is_rejected(sparse_model: bytes, case: str) -> None:
    """The library does not check the indices of a matrix that it loads, so a crafted file could crash the process."""
    with pytest.raises(ArtifactRefusedError):
        load_estimator(replaced(sparse_model, ".npz", with_arrays(CHANGES[case])))


def test_a_model_with_a_sparse_matrix_predicts_the_same(sparse_model: bytes) -> None:
    model = make_pipeline(OneHotEncoder(), SVC()).fit(LEVELS, CLASSES)
    loaded = load_estimator(sparse_model)
    assert scipy.sparse.issparse(loaded.steps[-1][1].support_vectors_)
    assert np.array_equal(loaded.predict(LEVELS), model.predict(LEVELS))


@pytest.mark.parametrize("knots", [0, 3, 5])
def test_a_spline_with_too_few_knots_or_coefficients_is_rejected(knots: int) -> None:
    """A spline is evaluated without a check of the length of its arrays."""
    model = make_pipeline(SplineTransformer(), LinearRegression()).fit(LEVELS, CLASSES)
    load_estimator(save_estimator(model))
    spline = model.steps[0][1].bsplines_[0]
    spline._t = spline._t[:knots]
    with pytest.raises(ArtifactRefusedError, match="a spline in the model file"):
        load_estimator(save_estimator(model))


def test_a_spline_with_coefficients_of_another_size_is_rejected() -> None:
    model = make_pipeline(SplineTransformer(), LinearRegression()).fit(LEVELS, CLASSES)
    spline = model.steps[0][1].bsplines_[0]
    spline._c = spline._c[:2]
    with pytest.raises(ArtifactRefusedError, match="a spline in the model file"):
        load_estimator(save_estimator(model))
