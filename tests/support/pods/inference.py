"""Requests and responses of the Open Inference Protocol as a client of its own would write and read them."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

HEADER = "Inference-Header-Content-Length"
FORMATS = {
    "BOOL": "?",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
}
"""Letters of `struct`."""


def tensor(name: str, data: list[Any], shape: list[int] | None = None, datatype: str = "FP64") -> dict[str, Any]:
    """A JSON tensor, one-dimensional by default."""
    return {"name": name, "datatype": datatype, "shape": [len(data)] if shape is None else shape, "data": data}


def encode(datatype: str, values: Sequence[Any]) -> bytes:
    """Values as binary data."""
    if datatype != "BYTES":
        return struct.pack(f"<{len(values)}{FORMATS[datatype]}", *values)
    texts = [value if isinstance(value, bytes) else str(value).encode() for value in values]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def decode(datatype: str, data: bytes) -> list[Any]:
    """The values of binary data."""
    if datatype != "BYTES":
        return list(struct.unpack(f"<{len(data) // struct.calcsize(FORMATS[datatype])}{FORMATS[datatype]}", data))
    values = []
    while data:
        (length,) = struct.unpack_from("<I", data)
        values.append(data[4 : 4 + length].decode())
        data = data[4 + length :]
    return values


def binary_body(inputs: Sequence[Mapping[str, Any]], **fields: Any) -> tuple[bytes, dict[str, str]]:
    """The body and headers of a request whose tensors, given with flat JSON data, are sent as binary data."""
    parts = [encode(item["datatype"], item["data"]) for item in inputs]
    tensors = [
        {**item, "parameters": {**item.get("parameters", {}), "binary_data_size": len(part)}}
        for item, part in zip(inputs, parts, strict=True)
    ]
    for item in tensors:
        del item["data"]
    document = json.dumps({"inputs": tensors, **fields}).encode()
    headers = {"content-type": "application/octet-stream", HEADER: str(len(document))}
    return document + b"".join(parts), headers


async def infer_binary(
    client: httpx.AsyncClient, model: str, inputs: Sequence[Mapping[str, Any]], **fields: Any
) -> httpx.Response:
    """Send tensors as binary data."""
    body, headers = binary_body(inputs, **fields)
    return await client.post(f"/v2/models/{model}/infer", content=body, headers=headers)


def outputs_of(response: httpx.Response) -> dict[str, list[Any]]:
    """The values of each output, from JSON or binary data."""
    assert response.status_code == httpx.codes.OK, response.text
    length = int(response.headers.get(HEADER, len(response.content)))
    data = response.content[length:]
    found = {}
    for output in json.loads(response.content[:length])["outputs"]:
        if "data" in output:
            found[output["name"]] = output["data"]
        else:
            size = output["parameters"]["binary_data_size"]
            found[output["name"]], data = decode(output["datatype"], data[:size]), data[size:]
    assert data == b""
    return found
