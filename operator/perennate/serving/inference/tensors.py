"""A tensor of a request, and the conversion of its data to values."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from math import prod
from typing import TYPE_CHECKING, Any, Final

from perennate.serving.inference.datatypes import InvalidValueError
from perennate.serving.model.field_names import quoted
from perennate.serving.request_error import InvalidValue, invalid_values, json_kind, unprocessable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perennate.serving.inference.datatypes import Datatype, Values

SIZE: Final = "binary_data_size"
"""The parameter of a tensor whose data is in the bytes after the JSON object."""
_FLAT: Final = 1


@dataclass(frozen=True, eq=False)
class Tensor:
    """One input tensor. Its data is read only by `values`.

    Args:
        path: its place in the request, such as `inputs[0]`.
        name: its name.
        datatype: its datatype.
        shape: its shape.
        data: its JSON value, or its bytes.
    """

    path: str
    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    data: list[Any] | memoryview

    @property
    def rows(self) -> int:
        """Size of the first dimension; 0 without dimensions."""
        return self.shape[0] if self.shape else 0

    def values(self, names: Sequence[str]) -> Values:
        """Read all values in row-major order.

        Args:
            names: the features that the columns of the tensor hold, for error messages.

        Raises:
            RequestError: the data does not match the shape or the datatype.
        """
        count = prod(self.shape)
        try:
            if isinstance(self.data, memoryview):
                self._check_size(self.data, count)
                return self.datatype.from_bytes(self.data, count)
            return self.datatype.from_json(self._flat(self.data, count))
        except InvalidValueError as error:
            row, column = divmod(error.index, len(names))
            path = f"{self.path}.data, row {row} of {quoted(names[column])}"
            raise invalid_values([InvalidValue(path, row, names[column], error.reason)]) from None

    def _check_size(self, data: memoryview, count: int) -> None:
        size = self.datatype.size
        if size is not None and len(data) != count * size:
            raise unprocessable(
                f"{self.path}.parameters.{SIZE}: must be {count * size}, {size} for each of {count} values of "
                f"{self.datatype.name}, got {len(data)}"
            )

    def _flat(self, data: list[Any], count: int) -> list[Any]:
        """JSON data in row-major order, from a flat list or from one that is nested as the shape says."""
        if len(self.shape) > _FLAT and data and isinstance(data[0], list):
            return self._unnested(data)
        if len(data) != count:
            raise unprocessable(
                f"{self.path}.data: must hold {count} values for the shape {list(self.shape)}, got {len(data)}"
            )
        return data

    def _unnested(self, data: list[Any]) -> list[Any]:
        rows, width = self.shape
        if len(data) != rows:
            raise unprocessable(
                f"{self.path}.data: must hold {rows} lists for the shape {list(self.shape)}, got {len(data)}"
            )
        for index, row in enumerate(data):
            if type(row) is not list or len(row) != width:
                found = f"a list of {len(row)}" if type(row) is list else json_kind(row)
                raise unprocessable(
                    f"{self.path}.data: row {index} must be a list of {width} values for the shape "
                    f"{list(self.shape)}, got {found}"
                )
        return list(chain.from_iterable(data))
