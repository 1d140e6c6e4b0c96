"""Read an inference request: a JSON object, and the binary data after it.

The structure is checked here; `inputs` and `outputs` check it against the model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perennate.serving.inference.datatypes import DATATYPES
from perennate.serving.inference.tensors import SIZE, Tensor
from perennate.serving.model.field_names import quoted
from perennate.serving.request_error import RequestError, json_kind, malformed, read_json, unprocessable

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER: Final = "Inference-Header-Content-Length"
"""Length of the JSON object in a body that also has binary data."""
_LENGTH: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_UNSUPPORTED: Final = {
    "shared_memory_region": "shared memory is not supported; send the data in the body",
    "classification": "is not supported; read the classes from the output predictions",
}
"""Parameters that would change what a tensor holds. Other unknown parameters have no effect."""


@dataclass(frozen=True)
class RequestedOutput:
    """One requested output.

    Args:
        path: its place in the request, such as `outputs[0]`.
        name: its name.
        binary: whether its data is returned as bytes.
    """

    path: str
    name: str
    binary: bool


@dataclass(frozen=True, eq=False)
class InferRequest:
    """One inference request.

    Args:
        id: what the client calls the request; None without a name.
        inputs: the tensors.
        outputs: the requested outputs; none if all are requested.
        binary: whether outputs are returned as bytes if `outputs` does not say.
    """

    id: str | None
    inputs: tuple[Tensor, ...]
    outputs: tuple[RequestedOutput, ...]
    binary: bool


def read_infer_request(body: bytes, header: str | None) -> InferRequest:
    """Read a request.

    Args:
        body: the body.
        header: value of the header Inference-Header-Content-Length; None without it.

    Raises:
        RequestError: the structure is not that of the protocol.
    """
    length = len(body) if header is None else _read_length(header, len(body))
    document = _read_document(body[:length], has_header=header is not None)
    inputs = document.get("inputs") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(inputs, list) or not inputs:
        raise malformed('body: must be an object with "inputs", a list of tensors')
    binary = _BinaryData(None if header is None else memoryview(body)[length:])
    tensors = tuple(_read_tensor(tensor, f"inputs[{index}]", binary) for index, tensor in enumerate(inputs))
    binary.check_taken()
    default = _read_flag(_read_parameters(document, "parameters"), "binary_data_output", "parameters", default=False)
    return InferRequest(
        id=document["id"] if isinstance(document.get("id"), str) else None,
        inputs=tensors,
        outputs=_read_outputs(document.get("outputs") or [], binary=default),
        binary=default,
    )


def _read_document(text: bytes, *, has_header: bool) -> object:
    try:
        return read_json(text)
    except RequestError as error:
        if has_header or SIZE.encode() not in text:
            raise
        raise malformed(f"{error.reason}; a body with binary data needs the header {HEADER}") from None


class _BinaryData:
    """The bytes after the JSON object, which the tensors take in order; None without the header."""

    def __init__(self, data: memoryview | None) -> None:
        self._data = data

    def take(self, size: int, path: str) -> memoryview:
        if self._data is None:
            raise malformed(f"{path}: needs the header {HEADER}, the length of the JSON object before the binary data")
        if size > len(self._data):
            raise malformed(f"{path}: is {size}, but only {len(self._data)} bytes of the body are left")
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def check_taken(self) -> None:
        if self._data:
            raise malformed(f"body: has {len(self._data)} bytes more than the {SIZE} of all inputs together")


def _read_length(header: str, limit: int) -> int:
    length = int(header) if _LENGTH.fullmatch(header) else 0
    if not 0 < length <= limit:
        raise malformed(f"{HEADER}: must be the length of the JSON object, from 1 to the {limit} bytes of the body")
    return length


def _read_outputs(outputs: object, *, binary: bool) -> tuple[RequestedOutput, ...]:
    if not isinstance(outputs, list):
        raise malformed(f"outputs: must be a list of outputs, got {json_kind(outputs)}")
    return tuple(_read_output(output, f"outputs[{index}]", binary=binary) for index, output in enumerate(outputs))


def _read_output(output: object, path: str, *, binary: bool) -> RequestedOutput:
    document = _read_object(output, path)
    parameters = _read_parameters(document, f"{path}.parameters")
    flag = _read_flag(parameters, "binary_data", f"{path}.parameters", default=binary)
    return RequestedOutput(path, _read_name(document, path), flag)


def _read_tensor(tensor: object, path: str, binary: _BinaryData) -> Tensor:
    document = _read_object(tensor, path)
    return Tensor(
        path=path,
        name=_read_name(document, path),
        datatype=DATATYPES[_read_datatype(document, path)],
        shape=_read_shape(document, path),
        data=_read_data(document, path, binary),
    )


def _read_object(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise malformed(f"{path}: must be an object, got {json_kind(value)}")
    return value


def _read_name(document: Mapping[str, Any], path: str) -> str:
    name = document.get("name")
    if not isinstance(name, str):
        raise malformed(f"{path}.name: must be a string, got {json_kind(name)}")
    return name


def _read_datatype(document: Mapping[str, Any], path: str) -> str:
    name = document.get("datatype")
    if not isinstance(name, str):
        raise malformed(f"{path}.datatype: must be a string, got {json_kind(name)}")
    if name not in DATATYPES:
        raise unprocessable(f"{path}.datatype: must be one of {', '.join(DATATYPES)}, got {quoted(name)}")
    return name


def _read_shape(document: Mapping[str, Any], path: str) -> tuple[int, ...]:
    shape = document.get("shape")
    if not isinstance(shape, list):
        raise malformed(f"{path}.shape: must be a list of whole numbers, got {json_kind(shape)}")
    if not all(type(size) is int and size >= 0 for size in shape):
        raise malformed(f"{path}.shape: must be a list of whole numbers, each at least 0")
    return tuple(shape)


def _read_data(document: Mapping[str, Any], path: str, binary: _BinaryData) -> list[Any] | memoryview:
    size = _read_parameters(document, f"{path}.parameters").get(SIZE)
    data = document.get("data")
    if size is None:
        if not isinstance(data, list):
            raise malformed(f"{path}.data: must be a list of values, got {json_kind(data)}")
        return data
    if data is not None:
        raise malformed(f"{path}: must have either data or parameters.{SIZE}, got both")
    if type(size) is not int or size < 0:
        raise malformed(f"{path}.parameters.{SIZE}: must be a whole number of at least 0")
    return binary.take(size, f"{path}.parameters.{SIZE}")


def _read_parameters(document: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    parameters = document.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise malformed(f"{path}: must be an object, got {json_kind(parameters)}")
    for name, reason in _UNSUPPORTED.items():
        if name in parameters:
            raise unprocessable(f"{path}.{name}: {reason}")
    return parameters


def _read_flag(parameters: Mapping[str, Any], name: str, path: str, *, default: bool) -> bool:
    flag = parameters.get(name, default)
    if not isinstance(flag, bool):
        raise malformed(f"{path}.{name}: must be true or false, got {json_kind(flag)}")
    return flag
