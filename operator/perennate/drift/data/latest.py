"""Remembering the latest value of a function of an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy.typing as npt

_Value = TypeVar("_Value")


class Latest(Generic[_Value]):
    """A function of an array that, asked with the same array again, gives what it gave the last time.

    For what follows from which tables can be compared, or which of their cells are sparse: it is the profile's side of
    an evaluation, and mostly the same as five minutes ago. One value is kept, so that it goes when its owner goes.

    Args:
        compute: the function; it must depend on nothing that changes.
    """

    def __init__(self, compute: Callable[[npt.NDArray[Any]], _Value]) -> None:
        self._compute = compute
        self._latest: tuple[bytes, _Value] | None = None

    def __call__(self, argument: npt.NDArray[Any]) -> _Value:
        """The value for an array; arrays of equal bytes must mean the same."""
        key, latest = argument.tobytes(), self._latest
        if latest is None or latest[0] != key:
            latest = self._latest = key, self._compute(argument)
        return latest[1]
