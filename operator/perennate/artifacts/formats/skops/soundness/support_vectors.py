"""Shape checks for support-vector machines: libsvm derives the sizes of all arrays from two of them."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from perennate.artifacts.errors import ArtifactRefusedError
from perennate.artifacts.formats.skops.soundness.parts import parts


def check_support_vectors(estimator: object) -> None:
    """Refuse a model with a support-vector machine whose arrays do not belong together.

    Raises:
        ArtifactRefusedError: it has one.
    """
    # Not imported here, because most models have none; a loaded object has imported its module.
    base = sys.modules.get("sklearn.svm._base")
    if base is None:
        return
    for _, part in parts(estimator):
        if isinstance(part, base.BaseLibSVM) and not _is_sound(part):
            raise ArtifactRefusedError(
                f"the arrays of a {type(part).__name__} in the model file do not belong together; the file is damaged "
                "or crafted"
            )


def _is_sound(machine: Any) -> bool:
    """Whether the arrays have the shapes of `sklearn.svm._base.BaseLibSVM`.

    With k classes (2 for a regression) and n support vectors: (k - 1, n) coefficients, and k (k - 1) / 2 intercepts.
    """
    classes = len(machine.classes_) if hasattr(machine, "classes_") else 2
    pairs = classes * (classes - 1) // 2
    found = len(machine.support_)
    counts = machine._n_support  # noqa: SLF001 - what libsvm reads
    is_classifier = hasattr(machine, "classes_")
    return (
        classes >= 2
        and isinstance(machine.kernel, str)
        and _has(counts, np.int32, (len(counts),))
        and len(counts) == (classes if is_classifier else len(counts))
        and 1 <= len(counts) <= classes
        and bool(np.all(counts >= 0))
        and (not is_classifier or int(counts.astype(np.int64).sum()) == found)
        and _has(machine.support_, np.int32, (found,))
        and _has(machine._intercept_, np.float64, (pairs,))
        and _has_calibration(machine, pairs)
        and _has_vectors(machine, classes, found)
    )


def _has_calibration(machine: Any, pairs: int) -> bool:
    """Both parameters of the calibration of each pair of classes, or none of them."""
    first, second = machine._probA, machine._probB  # noqa: SLF001
    sizes = {(len(first), len(second))}
    allowed = {(0, 0), (pairs, pairs), (pairs, 0)}
    return _has(first, np.float64, (len(first),)) and _has(second, np.float64, (len(second),)) and sizes <= allowed


def _has_vectors(machine: Any, classes: int, found: int) -> bool:
    """The support vectors and their coefficients, dense or sparse; for a precomputed kernel, only their positions."""
    vectors, coefficients = machine.support_vectors_, machine._dual_coef_
    columns = machine.n_features_in_
    if machine._sparse:  # noqa: SLF001
        shapes = (vectors.shape, coefficients.shape, len(coefficients.data))
        return bool(shapes == ((found, columns), (classes - 1, found), (classes - 1) * found))
    if not _has(coefficients, np.float64, (classes - 1, found)):
        return False
    if machine.kernel == "precomputed":
        inside = bool(np.all(machine.support_ >= 0) and np.all(machine.support_ < columns))
        return inside and machine.shape_fit_[0] == columns
    return _has(vectors, np.float64, (found, columns))


def _has(array: Any, dtype: type[np.generic], shape: tuple[int, ...]) -> bool:
    return isinstance(array, np.ndarray) and array.dtype == dtype and array.shape == shape
