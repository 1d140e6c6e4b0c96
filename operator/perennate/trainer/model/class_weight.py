"""`spec.trainer.estimator.classWeight`: weights of classes of any type, which JSON keys cannot express."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from perennate.api.feature_types import class_text
from perennate.suggestions import Names, did_you_mean
from perennate.trainer.data.classes import listed
from perennate.trainer.errors import BadConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perennate.api.documents.run_spec import ClassWeight, Estimator

FIELD: Final = "spec.trainer.estimator.classWeight"
PARAMETER: Final = "class_weight"


def check_class_weight(spec: Estimator, classes: Sequence[str] | None = None) -> None:
    """Check the weights against the parameters and, if they are known, the classes.

    Args:
        spec: the estimator.
        classes: the classes of the target as text, empty for a regression; None if the rows were not read yet.

    Raises:
        BadConfigurationError: a weight is for an unknown class, or `params.class_weight` has weights by class.
    """
    parameter = spec.params.get(PARAMETER)
    if isinstance(parameter, dict | list):
        raise BadConfigurationError(
            f'spec.trainer.estimator.params.class_weight: must be "balanced" or null, got {_kind(parameter)}; the keys '
            f"of an object are text, so the weights of classes belong in {FIELD}: "
            '[{class: "0", weight: 1}, {class: "1", weight: 5}]'
        )
    if not spec.class_weight:
        return
    if parameter is not None:
        raise BadConfigurationError(f"{FIELD}: spec.trainer.estimator.params.class_weight is set as well; remove one")
    if classes is not None:
        _check_classes(spec.class_weight, classes)


def apply_class_weight(estimator: Any, spec: Estimator, target: Iterable[Any]) -> None:
    """Set the weights on the estimator, the last step of a pipeline, with the classes in the type of the target.

    Args:
        estimator: not fitted yet.
        spec: the estimator's spec.
        target: the label of each training row.

    Raises:
        BadConfigurationError: the estimator has no parameter `class_weight`, or a class has no training row.
    """
    if not spec.class_weight:
        return
    steps = getattr(estimator, "steps", None)
    model = estimator if steps is None else steps[-1][1]
    if PARAMETER not in model.get_params(deep=False):
        raise BadConfigurationError(
            f"{FIELD}: {spec.class_} has no parameter class_weight; remove {FIELD}, or use an estimator that has it, "
            "such as sklearn.linear_model.LogisticRegression or sklearn.ensemble.RandomForestClassifier"
        )
    keys = _keys(model, np.unique(np.asarray(target)).tolist())
    _check_classes(spec.class_weight, tuple(keys))
    model.set_params(class_weight={keys[item.class_]: item.weight for item in spec.class_weight})


def _keys(model: Any, classes: list[Any]) -> dict[str, Any]:
    """The keys under which scikit-learn looks up the weights of classes, by canonical text.

    `compute_class_weight` looks up `int(c)` of a class, also of a text such as "1", else the text. Gradient boosting
    passes the positions of the sorted classes to it instead of the classes: for classes 1 and 2, it would use the
    weight of 1 for class 2.
    """
    if type(model).__name__ == "HistGradientBoostingClassifier":
        return {class_text(value): position for position, value in enumerate(classes)}
    return {class_text(value): _key(value) for value in classes}


def _key(value: Any) -> int | str:
    try:
        return int(value)
    except ValueError:
        return str(value)


def _check_classes(weights: Sequence[ClassWeight], classes: Sequence[str]) -> None:
    for number, item in enumerate(weights):
        if item.class_ not in classes:
            question = did_you_mean(Names(classes).similar(item.class_, most=1))
            hint = f" ({question})" if question else ""
            allowed = f"must be one of {listed(classes)}" if classes else "the target of a regression has no classes"
            raise BadConfigurationError(f"{FIELD}[{number}].class: {allowed}, got {item.class_!r}{hint}")


def _kind(parameter: object) -> str:
    return "an object" if isinstance(parameter, dict) else "a list"
