"""Validate parsed JSON documents. Every error names the field, the allowed values and the actual value."""

from __future__ import annotations

import base64
import math
import reprlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from perennate.drift.data.arrays import Floats, Ints
from perennate.drift.data.errors import DocumentError
from perennate.text import MAX_SHOWN, shortened

MAX_COUNT = 2**53
"""Largest count: integers up to here are exact in every JSON reader."""
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxlong = _SHOWN.maxother = MAX_SHOWN + 2


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document with its path.

    Args:
        value: the parsed value.
        path: path of the value for messages, e.g. `features[3].edges`.
        error: exception class to raise.
    """

    value: object
    path: str
    error: type[DocumentError]

    def refuse(self, allowed: str) -> NoReturn:
        """Raise `error` with the path, the allowed values and the actual value."""
        raise self.error(f"{self.path or 'document'}: must be {allowed}, got {abbreviated(self.value)}")

    def fields(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Node]:
        """The fields of an object; all of `required` must be present, and no others than `required` and `optional`."""
        if not isinstance(self.value, Mapping):
            self.refuse("an object")
        absent = [name for name in required if name not in self.value]
        if absent:
            raise self.error(f"{self._below(min(absent))}: is required")
        known = {*required, *optional}
        unknown = min((str(key) for key in self.value if key not in known), default=None)
        if unknown is not None:
            raise self.error(f"{self._below(shortened(unknown))}: is not a field of this schema")
        return {name: Node(value, self._below(name), self.error) for name, value in self.value.items()}

    def items(self, *, length: int | None = None) -> Iterator[Node]:
        """Iterate over the items of a list, which must have `length` items if given."""
        if not isinstance(self.value, list):
            self.refuse("a list")
        if length is not None and len(self.value) != length:
            raise self.error(f"{self.path}: must have {length} items, got {len(self.value)}")
        return (Node(item, f"{self.path}[{index}]", self.error) for index, item in enumerate(self.value))

    def text(self, *, allowed: Collection[str] = ()) -> str:
        """A string, one of `allowed` if given."""
        if not isinstance(self.value, str) or (allowed and self.value not in allowed):
            self.refuse(f"one of {', '.join(sorted(allowed))}" if allowed else "a string")
        try:
            self.value.encode()
        except UnicodeEncodeError:
            self.refuse("a string that UTF-8 can encode")
        return self.value

    def texts(self, *, max_length: int | None = None) -> tuple[str, ...]:
        """A list of distinct strings, at most `max_length` if given."""
        self._check_length(max_length)
        values = tuple(item.text() for item in self.items())
        if len(set(values)) != len(values):
            raise self.error(f"{self.path}: must not contain duplicates")
        return values

    def number(self) -> float:
        """A finite number."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            self.refuse("a finite number")
        return float(value)

    def count(self) -> int:
        """A whole number from 0 to MAX_COUNT."""
        return self.whole(0, MAX_COUNT)

    def whole(self, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        value = self.value
        if type(value) is not int or not least <= value <= most:
            self.refuse(f"a whole number from {least} to {most}")
        return value

    def optional_number(self) -> float | None:
        """A finite number, or null."""
        return None if self.value is None else self.number()

    def octets(self) -> npt.NDArray[np.uint8]:
        """Bytes in base64."""
        text = self.text()
        try:
            return np.frombuffer(base64.b64decode(text, validate=True), dtype=np.uint8)
        except ValueError as error:
            raise self.error(f"{self.path}: must be base64: {error}") from error

    def numbers(self, *, length: int | None = None) -> Floats:
        """A list of finite numbers."""
        if isinstance(self.value, list) and length in {None, len(self.value)} and set(map(type, self.value)) <= {float}:
            found = np.array(self.value, dtype=np.float64)
            if np.isfinite(found).all():
                return found
        return np.array([item.number() for item in self.items(length=length)], dtype=np.float64)

    def counts(self, *, length: int | None = None) -> Ints:
        """A list of whole numbers from 0 to MAX_COUNT."""
        if isinstance(self.value, list) and length in {None, len(self.value)}:
            # Valid lists take this fast path; the slow path below names the invalid item.
            found = _whole_numbers(self.value, 0, MAX_COUNT)
            if found is not None:
                return found
        return np.array([item.count() for item in self.items(length=length)], dtype=np.int64)

    def increasing(self, *, max_length: int) -> Floats:
        """A strictly increasing list of at most `max_length` finite numbers."""
        self._check_length(max_length)
        values = self.numbers()
        not_above = values[1:] <= values[:-1]
        if not_above.any():
            position = int(not_above.argmax()) + 1
            raise self.error(
                f"{self.path}: must be strictly increasing, got {values[position]} after {values[position - 1]}"
            )
        return values

    def positions(self, below: int) -> Ints:
        """A strictly increasing list of indices below `below`."""
        values = self.counts()
        if values.size and (values[-1] >= below or (values[1:] <= values[:-1]).any()):
            self.refuse(f"strictly increasing indices below {below}")
        return values

    def _check_length(self, max_length: int | None) -> None:
        """Raise if a list has more than `max_length` items."""
        if max_length is not None and isinstance(self.value, list) and len(self.value) > max_length:
            raise self.error(f"{self.path}: must have at most {max_length} items, got {len(self.value)}")

    def _below(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def abbreviated(value: object) -> str:
    """The `repr` of a value for messages, shortened if it is long."""
    return shortened(_SHOWN.repr(value))


def _whole_numbers(values: list[Any], least: int, most: int) -> Ints | None:
    """Convert to an array if all values are whole numbers from `least` to `most`; else return None."""
    if not set(map(type, values)) <= {int} or (values and not least <= min(values) <= max(values) <= most):
        return None
    return np.array(values, dtype=np.int64)


def _is_finite(value: float) -> bool:
    """Whether a number is finite as a float (a Python integer may be too large for one)."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
