"""Reading JSON documents strictly: every refusal names the field, what is allowed and what was found."""

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
"""No count may pass what a JSON reader holds exactly."""
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxlong = _SHOWN.maxother = MAX_SHOWN + 2


@dataclass(frozen=True, slots=True)
class Node:
    """One value inside a document, with the way to it.

    Args:
        value: what was found there.
        path: its place, for messages, e.g. `features[3].edges`.
        error: exception that a refusal raises.
    """

    value: object
    path: str
    error: type[DocumentError]

    def refuse(self, allowed: str) -> NoReturn:
        """Raise `error`, saying where, what is allowed, and what was found."""
        raise self.error(f"{self.path or 'document'}: must be {allowed}, got {abbreviated(self.value)}")

    def fields(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Node]:
        """The fields of an object that holds all of `required` and nothing outside both lists."""
        if not isinstance(self.value, Mapping):
            self.refuse("an object")
        absent = [name for name in required if name not in self.value]
        if absent:
            raise self.error(f"{self._below(min(absent))}: is required")
        known = {*required, *optional}
        unknown = min((str(key) for key in self.value if key not in known), default=None)
        if unknown is not None:
            raise self.error(f"{self._below(shortened(unknown))}: is no field of this schema")
        return {name: Node(value, self._below(name), self.error) for name, value in self.value.items()}

    def items(self, *, length: int | None = None) -> Iterator[Node]:
        """The items of a list, of exactly `length` items if given, one at a time: a node takes more than its value."""
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
            self.refuse("a string that can be written")
        return self.value

    def texts(self, *, most: int | None = None) -> tuple[str, ...]:
        """A list of distinct strings, at most so many if given."""
        self._bounded(most)
        values = tuple(item.text() for item in self.items())
        if len(set(values)) != len(values):
            raise self.error(f"{self.path}: must not name anything twice")
        return values

    def number(self) -> float:
        """A finite number."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            self.refuse("a finite number")
        return float(value)

    def moment(self) -> float:
        """Seconds since 1970, few enough for a day more to make a difference."""
        value = self.number()
        if not 0 <= value <= MAX_COUNT:
            self.refuse(f"a time, from 0 to {MAX_COUNT} seconds since 1970")
        return value

    def count(self) -> int:
        """A whole number from 0 to MAX_COUNT."""
        return self.whole(0, MAX_COUNT)

    def whole(self, least: int, most: int) -> int:
        """A whole number of a range."""
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
            # The quick way for what is right; the slow one below finds and names what is wrong.
            found = _whole_numbers(self.value, 0, MAX_COUNT)
            if found is not None:
                return found
        return np.array([item.count() for item in self.items(length=length)], dtype=np.int64)

    def rising(self, *, most: int) -> Floats:
        """A list of at most so many finite numbers, each above the one before."""
        self._bounded(most)
        values = self.numbers()
        falls = values[1:] <= values[:-1]
        if falls.any():
            position = int(falls.argmax()) + 1
            raise self.error(f"{self.path}: must rise strictly, got {values[position]} after {values[position - 1]}")
        return values

    def positions(self, below: int) -> Ints:
        """A strictly rising list of indices under `below`."""
        values = self.counts()
        if values.size and (values[-1] >= below or (values[1:] <= values[:-1]).any()):
            self.refuse(f"strictly rising indices below {below}")
        return values

    def _bounded(self, most: int | None) -> None:
        """Refuse a list that is longer."""
        if most is not None and isinstance(self.value, list) and len(self.value) > most:
            raise self.error(f"{self.path}: must have at most {most} items, got {len(self.value)}")

    def _below(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def abbreviated(value: object) -> str:
    """A value as messages show it, however large it is."""
    return shortened(_SHOWN.repr(value))


def _whole_numbers(values: list[Any], least: int, most: int) -> Ints | None:
    """The values if all are whole numbers of a range, else nothing."""
    if not set(map(type, values)) <= {int} or (values and not least <= min(values) <= max(values) <= most):
        return None
    return np.array(values, dtype=np.int64)


def _is_finite(value: float) -> bool:
    """Whether a number is finite as a float (a Python integer may be too large for one)."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
