"""From `spec.trainer.estimator` to an unfitted estimator. Only classes that a model format lists are imported."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any, Final

from perennate.artifacts import FORMATS
from perennate.artifacts.formats.classes import class_paths, contains
from perennate.suggestions import Names, did_you_mean
from perennate.trainer.errors import BadConfigurationError
from perennate.trainer.model.class_weight import check_class_weight
from perennate.trainer.model.parameters import check_parameters

if TYPE_CHECKING:
    from perennate.api.documents.run_spec import Estimator, EstimatorStep
    from perennate.artifacts.formats.classes import ClassTable

FIELD: Final = "spec.trainer.estimator"
SIMILARITY_OF_CLASSES: Final = 0.8
"""Least ratio of `difflib` at which a class is suggested: names share long endings such as `Classifier`."""


def build_estimator(spec: Estimator, *, seed: int) -> Any:
    """The estimator, or a pipeline of its preprocessing and itself.

    Args:
        spec: classes and parameters.
        seed: value for every `random_state` that the spec does not set.

    Raises:
        BadConfigurationError: a class is unknown or not allowed, or a parameter is unknown or has a wrong value.
    """
    check_class_weight(spec)
    estimator = _build(spec, FIELD, FORMATS.predictors, seed)
    if not spec.preprocessing:
        return estimator
    from sklearn.pipeline import Pipeline  # noqa: PLC0415 - slow, and only pipelines need it

    model_format = FORMATS.for_class(spec.class_)
    transformers = () if model_format is None else (model_format.trainable.transformers,)
    steps = [
        (f"step{number}", _build(step, f"{FIELD}.preprocessing[{number}]", transformers, seed))
        for number, step in enumerate(spec.preprocessing)
    ]
    return Pipeline([*steps, ("estimator", estimator)])


def find_class(path: str, field: str, tables: tuple[ClassTable, ...]) -> Any:
    """The class at a public import path, if one of the tables lists it.

    Args:
        path: such as `sklearn.svm.SVC`.
        field: field of the spec for error messages, without `.class`.
        tables: the classes that are allowed here.

    Raises:
        BadConfigurationError: there is no such class, or it is not allowed here.
    """
    module, _, name = path.rpartition(".")
    if any(contains(table, path) for table in tables):
        return getattr(importlib.import_module(module), name)
    choices = class_paths(*tables)
    if _exists(module, name):
        raise BadConfigurationError(
            f"{field}.class: {path} is outside the list of allowed estimators{_why_not(path)}; choose one from it, or "
            f"train in your own container (spec.trainer.container). Allowed are {_listing(choices)}"
        )
    by_name = {choice.rpartition(".")[2]: choice for choice in choices}
    similar = Names(by_name).similar(name, least=SIMILARITY_OF_CLASSES)
    hint = did_you_mean((by_name[match] for match in similar), str) or f"allowed are {_listing(choices)}"
    raise BadConfigurationError(f"{field}.class: {path} does not exist in the installed scikit-learn; {hint}")


def _build(step: EstimatorStep, field: str, tables: tuple[ClassTable, ...], seed: int) -> Any:
    cls = find_class(step.class_, field, tables)
    # Constructors of scikit-learn only store their parameters, so the names are available from an instance.
    defaults = cls().get_params(deep=False)
    known = sorted(defaults)
    unknown = sorted(set(step.params) - set(known))
    if unknown:
        question = did_you_mean(Names(known).similar(unknown[0], most=1), str)
        hint = f" ({question})" if question else ""
        raise BadConfigurationError(
            f"{field}.params.{unknown[0]}: {step.class_} has no such parameter{hint}; it has {', '.join(known)}"
        )
    # A default other than None marks a deprecated random_state; setting it causes a warning.
    seeded = {"random_state": seed} if "random_state" in known and defaults["random_state"] is None else {}
    built = cls(**(seeded | _plain(step.params)))
    check_parameters(built, step.params, field)
    return built


def _plain(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters with lists of numbers as tuples, which scikit-learn needs (`feature_range`) and JSON lacks."""
    return {name: _tuples(value) for name, value in params.items()}


def _tuples(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
        return tuple(value)
    return value


def _why_not(path: str) -> str:
    """`: KNeighborsClassifier holds ...`, if a model format gives a reason for this class."""
    reason = next((found for item in FORMATS if (found := item.trainable.why_not(path))), "")
    return f": {path.rpartition('.')[2]} {reason}" if reason else ""


def _exists(module: str, name: str) -> bool:
    """Whether scikit-learn has that name. The schema allows no other package, so nothing else is imported."""
    try:
        return importlib.util.find_spec(module) is not None and hasattr(importlib.import_module(module), name)
    except ImportError:
        return False


def _listing(choices: tuple[str, ...]) -> str:
    """The list in a compact form for a message: modules with their names."""
    grouped: dict[str, list[str]] = {}
    for path in choices:
        module, _, name = path.rpartition(".")
        grouped.setdefault(module, []).append(name)
    return "; ".join(f"{module}: {', '.join(found)}" for module, found in grouped.items())
