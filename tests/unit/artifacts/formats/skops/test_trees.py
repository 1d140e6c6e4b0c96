"""Trees with out-of-range indices are rejected before scikit-learn follows them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from perennate.artifacts import ArtifactRefusedError
from perennate.artifacts.formats.skops.loading import load_estimator
from perennate.artifacts.formats.skops.saving import save_estimator

X, Y = load_diabetes(return_X_y=True)
MODELS: dict[str, Any] = {
    "tree": DecisionTreeRegressor(max_depth=3, random_state=0),
    "forest": RandomForestRegressor(n_estimators=2, max_depth=3, random_state=0),
    "gradient boosting": GradientBoostingRegressor(n_estimators=2, random_state=0),
    "histogram boosting": HistGradientBoostingRegressor(max_iter=2, random_state=0),
}


def crafted(content: bytes, change: Callable[[np.ndarray[Any, Any]], None]) -> bytes:
    """The model file with `change` applied to its first array of tree nodes."""
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        members = {name: source.read(name) for name in source.namelist()}
    for name in sorted(members):
        if name.endswith(".npy"):
            nodes = np.load(io.BytesIO(members[name]))
            if nodes.dtype.names and {"left_child", "left"} & set(nodes.dtype.names):
                change(nodes)
                buffer = io.BytesIO()
                np.save(buffer, nodes)
                members[name] = buffer.getvalue()
                break
    else:
        raise AssertionError("the model has no tree nodes")
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return target.getvalue()


def column(nodes: np.ndarray[Any, Any], compiled: str, histogram: str) -> np.ndarray[Any, Any]:
    """A field of the nodes, by its name in a compiled tree or in a histogram tree."""
    return nodes[compiled if compiled in (nodes.dtype.names or ()) else histogram]


CHANGES: dict[str, Callable[[np.ndarray[Any, Any]], None]] = {
    "a child far out of range": lambda nodes: column(nodes, "left_child", "left").__setitem__(0, 10_000),
    "a child just out of range": lambda nodes: column(nodes, "right_child", "right").__setitem__(0, len(nodes)),
    "a cycle": lambda nodes: column(nodes, "left_child", "left").__setitem__(0, 0),
    "a column far out of range": lambda nodes: column(nodes, "feature", "feature_idx").__setitem__(0, 10_000),
    "a column just out of range": lambda nodes: column(nodes, "feature", "feature_idx").__setitem__(0, X.shape[1]),
    "a negative column": lambda nodes: column(nodes, "feature", "feature_idx").__setitem__(0, -5),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("case", CHANGES)
def test_an_out_of_range_index_is_rejected(model: str, case: str) -> None:
    """scikit-learn does not check the indices of a tree, so a crafted index could crash the process."""
    content = save_estimator(MODELS[model].fit(X, Y))
    load_estimator(content)
    with pytest.raises(ArtifactRefusedError, match="points outside its own nodes or columns"):
        load_estimator(crafted(content, CHANGES[case]))


@pytest.mark.parametrize("model", MODELS)
def test_a_model_with_fewer_columns_than_its_trees_is_rejected(model: str) -> None:
    """A forest does not check the rows that it passes to its trees, so all must have the same number of columns."""
    content = save_estimator(MODELS[model].fit(X, Y))
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        members = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(members["schema.json"])
    schema["content"]["content"]["n_features_in_"]["content"] = "1"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, member in {**members, "schema.json": json.dumps(schema).encode()}.items():
            archive.writestr(name, member)
    with pytest.raises(ArtifactRefusedError, match="points outside"):
        load_estimator(buffer.getvalue())
