"""The classes of a target: their canonical text, and which of two is the positive one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perennate.api.feature_types import class_text
from perennate.trainer.errors import DataRefusedError
from perennate.trainer.tasks import NEEDS_POSITIVE_CLASS, requested_metrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perennate.api.documents.run_spec import Evaluation
    from perennate.trainer.tasks import Task

FIELD: Final = "spec.data.positiveClass"
_BINARY: Final = 2
_SHOWN: Final = 10


def class_names(target: Iterable[Any]) -> tuple[str, ...]:
    """The classes as canonical text: numbers by value, then text by name."""
    return tuple(sorted({class_text(value) for value in target}, key=_by_value))


def positive_class(given: str | None, classes: Sequence[str]) -> str | None:
    """The positive class of two: the given one, else the larger of 0 and 1, or of false and true.

    Args:
        given: `spec.data.positiveClass`.
        classes: canonical texts.

    Returns:
        None if there are not two classes, or if none is given and they have no natural order.
    """
    if len(classes) != _BINARY:
        return None
    if given is not None:
        return given
    ordered = sorted(classes)
    return ordered[1] if [name.lower() for name in ordered] in (["0", "1"], ["false", "true"]) else None


def check_positive_class(given: str | None, classes: Sequence[str], evaluation: Evaluation, task: Task) -> None:
    """Check that the positive class is a class, and that it is known if a metric depends on it.

    Class names are not values of a row: they are part of the schema of every version, so messages contain them.

    Raises:
        DataRefusedError: it is given and is not one of two classes, or it is needed and not given.
    """
    if given is not None:
        _check_given(given, classes, task)
    elif task == "classification" and len(classes) == _BINARY and positive_class(None, classes) is None:
        for field, metric in requested_metrics(evaluation):
            if metric in NEEDS_POSITIVE_CLASS:
                raise DataRefusedError(
                    f"{FIELD}: must be one of {listed(classes)}, because {field} is {metric.value}, which depends on "
                    "the choice; got none"
                )


def _check_given(given: str, classes: Sequence[str], task: Task) -> None:
    if task == "regression":
        raise DataRefusedError(f"{FIELD}: a regression has no classes, got {given!r}; remove the field")
    if len(classes) != _BINARY:
        raise DataRefusedError(
            f"{FIELD}: the target has {len(classes)} classes ({listed(classes)}), and only one of two classes can be "
            f"positive, got {given!r}; remove the field"
        )
    if given not in classes:
        raise DataRefusedError(f"{FIELD}: must be one of {listed(classes)}, got {given!r}")


def listed(classes: Sequence[str]) -> str:
    """Class names for a message, in quotes; the first ten."""
    shown = ", ".join(repr(name) for name in classes[:_SHOWN])
    return shown if len(classes) <= _SHOWN else f"{shown} and {len(classes) - _SHOWN} more"


def _by_value(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text
