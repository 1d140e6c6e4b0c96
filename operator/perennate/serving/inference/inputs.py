"""Match the tensors of a request with the features of the model.

A request has either one tensor for each feature, of shape [rows] or [rows, 1], or one tensor `input` of shape
[rows, features] with the features in the model's order. The rules for datatypes and values are the same for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from perennate.api.feature_types import FEATURE_TYPES
from perennate.serving.model.field_names import listed, quoted
from perennate.serving.model.schema import MAX_ROWS
from perennate.serving.request_error import unprocessable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from perennate.api.documents.model_manifest import FeatureSchema
    from perennate.serving.inference.tensors import Tensor
    from perennate.serving.model.schema import Batch, InputSchema

TABLE: Final = "input"
"""Name of the tensor that holds all features."""
SHOWN_SIZES: Final = 4
"""Number of dimensions that a message shows."""


def read_batch(tensors: Sequence[Tensor], schema: InputSchema) -> Batch:
    """Convert the tensors to a batch. Whether a value may be missing is not checked.

    Raises:
        RequestError: a tensor is absent or given twice, or its shape, datatype or data is not that of its features; if
            the schema is strict, also for a tensor that is no feature.
    """
    if len(tensors) == 1 and _is_table(tensors[0], schema):
        return _read_table(tensors[0], schema)
    by_name = _by_name(tensors, schema)
    first = by_name[schema.names[0]]
    columns = {feature.name: _read_column(by_name[feature.name], feature, first) for feature in schema.features}
    return schema.of_columns(columns, first.rows)


def _is_table(tensor: Tensor, schema: InputSchema) -> bool:
    """Whether the tensor holds all features; a feature may have the same name."""
    return tensor.name == TABLE and (TABLE not in schema.names or tensor.shape[1:] == (len(schema.names),))


def _by_name(tensors: Sequence[Tensor], schema: InputSchema) -> dict[str, Tensor]:
    """The tensors by name, among them one for each feature."""
    by_name: dict[str, Tensor] = {}
    for tensor in tensors:
        if tensor.name in by_name:
            raise unprocessable(
                f"{tensor.path}: {quoted(tensor.name)} is also {by_name[tensor.name].path}; give each tensor once"
            )
        by_name[tensor.name] = tensor
    if len(by_name) == 1 and len(schema.names) > 1 and not by_name.keys() & set(schema.names):
        raise unprocessable(
            f"{tensors[0].path}: {quoted(tensors[0].name)} is not a feature; give one tensor for each of the features "
            f"{listed(schema.names)}, or all in one tensor {quoted(TABLE)}"
        )
    schema.check_names(by_name, name="inputs")
    return by_name


def _read_table(tensor: Tensor, schema: InputSchema) -> Batch:
    width = len(schema.names)
    if len(tensor.shape) == 1 or tensor.shape[1:] != (width,):
        raise unprocessable(
            f"{tensor.path}.shape: must be [rows, {width}] for the features {listed(schema.names)}, "
            f"got {_text(tensor.shape)}"
        )
    _check_rows(tensor)
    for feature in schema.features:
        _check_datatype(tensor, feature, width)
    values = tensor.values(schema.names).reshape(tensor.rows, width)
    if values.dtype == np.float64:
        return schema.of_matrix(values, complete=not np.isnan(values).any())
    return schema.of_columns({name: values[:, index] for index, name in enumerate(schema.names)}, tensor.rows)


def _read_column(tensor: Tensor, feature: FeatureSchema, first: Tensor) -> npt.NDArray[Any]:
    """The values of the tensor of one feature; it has as many rows as the tensor of the first feature."""
    _check_datatype(tensor, feature, width=1)
    if not tensor.shape or tensor.shape[1:] not in {(), (1,)}:
        raise unprocessable(
            f"{tensor.path}.shape: must be [rows] or [rows, 1] for {quoted(feature.name)}, got {_text(tensor.shape)}"
        )
    _check_rows(tensor)
    if tensor.rows != first.rows:
        raise unprocessable(
            f"{tensor.path}.shape: must have as many rows for {quoted(feature.name)} as {first.path}, {first.rows}, "
            f"got {tensor.rows}"
        )
    return tensor.values([feature.name])


def _check_rows(tensor: Tensor) -> None:
    if not 0 < tensor.rows <= MAX_ROWS:
        raise unprocessable(
            f"{tensor.path}.shape: must have 1 to {MAX_ROWS} rows, got {tensor.rows}; "
            "send more rows in several requests"
        )


def _check_datatype(tensor: Tensor, feature: FeatureSchema, width: int) -> None:
    accepted = FEATURE_TYPES[feature.type].accepted_datatypes
    if tensor.datatype.name not in accepted:
        advice = "" if width == 1 else "; give one tensor for each feature if their types differ"
        raise unprocessable(
            f"{tensor.path}.datatype: must be one of {', '.join(sorted(accepted))} for the {feature.type} "
            f"{quoted(feature.name)}, got {tensor.datatype.name}{advice}"
        )


def _text(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape[:SHOWN_SIZES]))}{', ...' if len(shape) > SHOWN_SIZES else ''}]"
