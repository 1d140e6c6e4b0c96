"""The tolerance within which a value counts as equal to the edge of a bin.

The same value may be computed or stored in another way: 0.1 in single precision is 1.5e-8 larger than in double, and
0.1 + 0.2 is not 0.3. Without a tolerance, all rows with such a value would move to the next bin.
"""

from __future__ import annotations

import numpy as np

from perennate.drift.data.arrays import Floats

TOLERANCE = 6.1e-8
"""Relative tolerance: a little more than rounding to single precision, which is at most 2**-24 = 5.96e-8."""
WHOLE = 0.25
"""Largest tolerance between whole numbers, which stay distinct however large they are."""


def slack(points: Floats, tolerance: float) -> Floats:
    """The absolute tolerance of each point, (points,).

    It is relative to the size of the point or, near zero, to that of the smaller of its neighbours.

    Args:
        points: smallest value, edges and largest value, ascending.
        tolerance: the relative tolerance.
    """
    if not tolerance or not points.size:
        return np.zeros(points.size)
    sizes = np.abs(points)
    left, right = np.append(np.inf, sizes[:-1]), np.append(sizes[1:], np.inf)
    near = np.minimum(left, right) if points.size > 1 else sizes
    found = tolerance * np.maximum(sizes, near)
    return np.asarray(np.minimum(found, WHOLE)) if (points == np.rint(points)).all() else found


def without_near_duplicates(points: Floats, tolerance: float) -> Floats:
    """Keep the largest of points that are equal within their tolerance.

    Args:
        points: strictly ascending.
        tolerance: the relative tolerance.
    """
    if points.size < 2 or not tolerance:
        return points
    with np.errstate(over="ignore"):
        apart = np.diff(points) > slack(points, tolerance)[:-1]
    return np.asarray(points[np.append(apart, True)])
