"""Bounds checks for sparse matrices and splines, whose indices scipy follows unchecked."""

from __future__ import annotations

import sys
from typing import Any, Final

import numpy as np

from perennate.artifacts.errors import ArtifactRefusedError
from perennate.artifacts.formats.skops.soundness.parts import parts

_FORMATS: Final = frozenset({"csr", "csc"})


def check_matrices(estimator: object) -> None:
    """Refuse a model with a sparse matrix or a spline whose arrays do not belong together.

    Raises:
        ArtifactRefusedError: an index is out of bounds, or arrays differ in size.
    """
    # Not imported here, because most models have neither; a loaded object has imported its module.
    sparse, splines = sys.modules.get("scipy.sparse"), sys.modules.get("scipy.interpolate")
    for _, part in parts(estimator):
        if sparse is not None and sparse.issparse(part):
            _check_sparse(part)
        elif splines is not None and isinstance(part, splines.BSpline):
            _check_spline(part)


def _check_sparse(matrix: Any) -> None:
    if not _is_sound(matrix):
        raise ArtifactRefusedError(
            "a sparse matrix in the model file points outside its own shape; the file is damaged or crafted"
        )


def _is_sound(matrix: Any) -> bool:
    try:
        matrix.check_format(full_check=True)
    except (ValueError, AttributeError):
        return False
    return matrix.format in _FORMATS


def _check_spline(spline: Any) -> None:
    knots, coefficients, degree = spline.t, spline.c, spline.k
    sound = (
        isinstance(degree, int)
        and degree >= 0
        and all(isinstance(array, np.ndarray) and array.dtype == np.float64 for array in (knots, coefficients))
        and knots.ndim == 1
        and coefficients.ndim >= 1
        and len(knots) >= 2 * degree + 2
        and len(coefficients) >= len(knots) - degree - 1
        and bool(np.all(np.isfinite(knots)) and np.all(np.diff(knots) >= 0))
    )
    if not sound:
        raise ArtifactRefusedError(
            "a spline in the model file has arrays that do not belong together; the file is damaged or crafted"
        )
