"""Bounds checks for the indices in decision trees, which scikit-learn follows unchecked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennate.artifacts.errors import ArtifactRefusedError
from perennate.artifacts.formats.skops.soundness.parts import parts

Indices = NDArray[np.integer[Any]]


def check_trees(estimator: object) -> None:
    """Refuse a model with a tree that points outside its nodes or outside its input columns.

    In every tree of scikit-learn, children come after their parent; requiring that also excludes cycles.

    Raises:
        ArtifactRefusedError: an index is out of bounds.
    """
    # Not imported here, because a model without trees does not need it; a loaded tree has imported its module.
    import sys  # noqa: PLC0415

    compiled = sys.modules.get("sklearn.tree._tree")
    histogram = sys.modules.get("sklearn.ensemble._hist_gradient_boosting.predictor")
    for owner, part in parts(estimator):
        columns = getattr(owner, "n_features_in_", -1)
        if compiled is not None and isinstance(part, compiled.Tree):
            _check_tree(part, columns)
        elif histogram is not None and isinstance(part, histogram.TreePredictor):
            _check_predictor(part, columns)
        elif hasattr(part, "tree_") and hasattr(owner, "estimators_") and part.n_features_in_ > columns:
            # Forests and boosting pass rows to their trees unchecked. Bagging selects columns and checks again.
            raise _refusal()


def _check_tree(tree: Any, columns: int) -> None:
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    inner = left != -1
    position = np.arange(tree.node_count)[inner]
    _check_children(left[inner], right[inner], position, tree.node_count)
    if tree.n_features != columns or not _within(feature[inner], 0, columns):
        raise _refusal()


def _check_predictor(predictor: Any, columns: int) -> None:
    nodes = predictor.nodes
    inner = nodes[nodes["is_leaf"] == 0]
    position = np.flatnonzero(nodes["is_leaf"] == 0)
    _check_children(inner["left"].astype(np.int64), inner["right"].astype(np.int64), position, len(nodes))
    categorical = inner[inner["is_categorical"] != 0]["bitset_idx"].astype(np.int64)
    if not _within(inner["feature_idx"], 0, columns) or not _within(
        categorical, 0, len(predictor.raw_left_cat_bitsets)
    ):
        raise _refusal()


def _check_children(left: Indices, right: Indices, position: Indices, count: int) -> None:
    behind = bool(np.all(left > position) and np.all(right > position))
    if count < 1 or not behind or not _within(left, 0, count) or not _within(right, 0, count):
        raise _refusal()


def _within(values: Indices, low: int, high: int) -> bool:
    return values.size == 0 or bool(values.min() >= low and values.max() < high)


def _refusal() -> ArtifactRefusedError:
    return ArtifactRefusedError(
        "a decision tree in the model file points outside its own nodes or columns; the file is damaged or crafted"
    )
