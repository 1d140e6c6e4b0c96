"""Shape checks for boosted trees, whose predictions are added up in arrays of an assumed size."""

from __future__ import annotations

import sys
from typing import Any, Final

import numpy as np

from perennate.artifacts.errors import ArtifactRefusedError
from perennate.artifacts.formats.skops.soundness.parts import parts

BITSET_WORDS: Final = 8
"""Words of 32 bits in the set of categories of a split: one bit for each of 256 categories."""


ONE_TO_ONE: Final = frozenset({"OrdinalEncoder", "FunctionTransformer"})
"""Transformers of the encoder of categories, which give a column for each column."""


def check_boosting(estimator: object) -> None:
    """Refuse a model with boosted trees that do not fit the array of their predictions, or their columns.

    Raises:
        ArtifactRefusedError: it has them.
    """
    # Not imported here, because most models have none; a loaded object has imported its module.
    boosted = sys.modules.get("sklearn.ensemble._gb")
    histogram = sys.modules.get("sklearn.ensemble._hist_gradient_boosting.gradient_boosting")
    for _, part in parts(estimator):
        sound = True
        if boosted is not None and isinstance(part, boosted.BaseGradientBoosting):
            sound = _has_sound_stages(part) and _starts_with_sound_predictions(part)
        elif histogram is not None and isinstance(part, histogram.BaseHistGradientBoosting):
            sound = _has_sound_categories(part) and _keeps_columns(part)
        if not sound:
            raise ArtifactRefusedError(
                f"the trees of a {type(part).__name__} in the model file do not fit its classes or columns; the file "
                "is damaged or crafted"
            )


def _has_sound_stages(model: Any) -> bool:
    """Whether each stage has a tree with one output for each class (one for two classes and for a regression)."""
    stages, width = model.estimators_, model.n_trees_per_iteration_
    if not (isinstance(stages, np.ndarray) and stages.dtype == object and stages.ndim == 2):
        return False
    trees = [getattr(tree, "tree_", None) for tree in stages.ravel()]
    fitting = all(tree is not None and tree.value.shape[1:] == (1, 1) for tree in trees)
    return stages.shape[1] == width == _outputs(model) and len(stages) > 0 and fitting


def _outputs(model: Any) -> int:
    """The number of predictions of a row before the link function."""
    classes = len(model.classes_) if hasattr(model, "classes_") else 1
    return classes if classes > 2 else 1


def _starts_with_sound_predictions(model: Any) -> bool:
    """Whether the estimator of the first predictions gives as many columns as there are trees in a stage.

    Compiled code adds to this array without looking at its shape.
    """
    row = np.zeros((1, model.n_features_in_), dtype=np.float32)
    first = model._raw_predict_init(row)  # noqa: SLF001
    return isinstance(first, np.ndarray) and first.shape == (1, _outputs(model)) and first.dtype == np.float64


def _has_sound_categories(model: Any) -> bool:
    """Whether splits by category have sets of the right size, and only for columns that are categories."""
    mapper = model._bin_mapper  # noqa: SLF001
    is_categorical = mapper.is_categorical_
    sized = isinstance(is_categorical, np.ndarray) and is_categorical.shape == (model.n_features_in_,)
    return sized and all(
        _predictor_is_sound(predictor, is_categorical)
        for stage in model._predictors  # noqa: SLF001
        for predictor in stage
    )


def _predictor_is_sound(predictor: Any, is_categorical: Any) -> bool:
    sets, nodes = predictor.raw_left_cat_bitsets, predictor.nodes
    split = nodes[(nodes["is_leaf"] == 0) & (nodes["is_categorical"] != 0)]
    return sets.ndim == 2 and sets.shape[1] == BITSET_WORDS and bool(np.all(is_categorical[split["feature_idx"]] != 0))


def _keeps_columns(model: Any) -> bool:
    """Whether the encoder of categories, which checks the columns, gives as many as the trees expect."""
    if getattr(model, "_in_fit", False):
        return False
    encoder = model._preprocessor  # noqa: SLF001
    if encoder is None:
        return True
    expected, count = model.n_features_in_, np.zeros(model.n_features_in_, dtype=np.int64)
    for _, transformer, columns in encoder.transformers_:
        mask = np.asarray(columns)
        if mask.dtype != np.bool_ or mask.shape != (expected,):
            return False
        if mask.any() and type(transformer).__name__ not in ONE_TO_ONE:
            return False
        count += mask
    return encoder.n_features_in_ == expected and bool(np.all(count == 1))
