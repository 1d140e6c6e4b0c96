"""How predictions and true labels are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from perennate.drift import Profile, class_text
from perennate.tabular.errors import UsageError
from perennate.tabular.values import Values, as_number

Form = Literal["probability", "class", "number"]
"""What a prediction is: the probability of the second of two classes, a class, or a number (regression)."""
PLAIN_CLASSES = ({"0", "1"}, {"false", "true"})
"""Classes of which everybody expects the probability of the second."""
CHANCE = 0.5
PREDICTED = "predicted class"
"""Name of the predicted class in a report. It is tested like a column."""
MOST_CLASSES = 30
"""A numeric target with more distinct values is a quantity, not a class."""


@dataclass(frozen=True)
class Model:
    """How predictions and true labels are read.

    Args:
        form: what a prediction is.
        classes: as text, in order; empty for a number.
    """

    form: Form
    classes: tuple[str, ...]

    @property
    def task(self) -> Literal["classification", "regression"]:
        """The task of the profile."""
        return "classification" if self.classes else "regression"

    @classmethod
    def of_profile(cls, profile: Profile) -> Model | None:
        """The model of a saved profile; None if it has neither scores nor classes."""
        if profile.score is None:
            return cls("class", profile.classes) if profile.classes else None
        if profile.score.kind == "probability":
            return cls("probability", profile.classes)
        return cls("number", ()) if profile.score.kind == "prediction" else cls("class", profile.classes)


def remarks_on(model: Model | None, profile: Profile, *, positive: str | None, assumed: bool) -> tuple[str, ...]:
    """Sentences on the class that the probability refers to.

    Args:
        model: the model.
        profile: the profile of the reference.
        positive: the class that the user names.
        assumed: whether the class is assumed if the user names none.
    """
    if model is None or model.form != "probability":
        return ()
    other, own = model.classes
    auc = profile.metrics.get("auc")
    sentences = []
    if assumed and positive is None and not any(set(model.classes) == plain for plain in PLAIN_CLASSES):
        sentences.append(f"The predictions are read as the probability of {own!r}, unless --positive names {other!r}.")
    if auc is not None and auc.value < CHANCE:
        sentences.append(
            f"The auc of the reference is {auc.value:.2g}, below 0.5: the predictions may be the probability of the "
            f"other class, {other!r}; if so, give --positive."
        )
    return tuple(sentences)


def infer_model(
    predictions: Values, truth: Values | None, *, task: str | None, positive: str | None, where: object
) -> Model:
    """Infer the model from the values of the reference.

    Args:
        predictions: floats with NaN, or objects with None, (rows,).
        truth: true labels, of the same types; None if unknown.
        task: classification or regression; None: inferred from the values.
        positive: class that a probability refers to; None: the last of two.
        where: name of the file, for messages.

    Raises:
        UsageError: the values match no task, or not the given one.
    """
    if predictions.dtype.kind != "f":
        if task == "regression":
            raise UsageError(f"{where}: predictions of a regression must be numbers, got text")
        return Model("class", _classes(predictions, truth, positive, where))
    if task == "regression" or (task is None and _is_quantity(predictions, truth)):
        if truth is not None and truth.dtype.kind != "f":
            raise UsageError(f"{where}: the target of a regression must hold numbers, got text")
        return Model("number", ())
    classes = ("0", "1") if truth is None else _classes(None, truth, None, where)
    if _distinct(predictions) <= set(classes):
        return Model("class", _classes(predictions, truth, positive, where))
    known = predictions[~np.isnan(predictions)]
    if known.size and (known.min() < 0 or known.max() > 1):
        raise UsageError(
            f"{where}: predictions must be classes or probabilities, got {known.min():g} to {known.max():g}"
        )
    if len(classes) != 2:
        raise UsageError(f"{where}: a probability needs a target of two classes, got {len(classes)}")
    return Model("probability", _with_last(classes, positive, where))


def _is_quantity(predictions: Values, truth: Values | None) -> bool:
    """Whether the predictions are numbers rather than classes; without true labels they are numbers."""
    if truth is None:
        return True
    values = _distinct(truth) if truth.dtype.kind == "f" else set()
    if truth.dtype.kind != "f" or len(values) <= 2:
        return False
    return len(values) > MOST_CLASSES or not _distinct(predictions) <= values


def _distinct(values: Values) -> set[str]:
    """The distinct values as text, without missing ones."""
    if values.dtype.kind == "f":
        return {class_text(value) for value in np.unique(values[~np.isnan(values)])}
    return {class_text(value) for value in set(values.tolist()) - {None}}


def _classes(predictions: Values | None, truth: Values | None, positive: str | None, where: object) -> tuple[str, ...]:
    """All classes in the data: numbers sorted by value, text by name."""
    found: set[str] = set().union(*(_distinct(values) for values in (predictions, truth) if values is not None))
    if not 2 <= len(found) <= MOST_CLASSES:
        numeric = sum(not isinstance(as_number(text), str) for text in found)
        strays = len(found) // 2 < numeric < len(found)
        advice = "; most are numbers: correct the rows with text, or name the text with --na" if strays else ""
        raise UsageError(
            f"{where}: target and prediction must hold 2 to {MOST_CLASSES} classes, got {len(found)}{advice}"
        )
    return _with_last(tuple(sorted(found, key=_by_size)), positive, where)


def _with_last(classes: tuple[str, ...], positive: str | None, where: object) -> tuple[str, ...]:
    """The classes with the positive one at the end."""
    if positive is None:
        return classes
    if positive not in classes:
        raise UsageError(f"{where}: --positive must be one of {', '.join(classes)}, got {positive!r}")
    return (*(name for name in classes if name != positive), positive)


def _by_size(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text
