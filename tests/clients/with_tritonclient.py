"""Calls of tritonclient with its defaults: binary tensors in and out."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import tritonclient.http as http
from tritonclient.http import aio

from tests.clients.calls import report, settings

given = settings()
MODEL, VERSION, COLUMNS = given["model"], given["version"], given["columns"]
client = http.InferenceServerClient(given["host"], concurrency=2, network_timeout=60.0)


def tensor(module: Any, name: str, values: Any, datatype: str, *, binary: bool = True) -> Any:
    """An input of the client."""
    item = module.InferInput(name, list(values.shape), datatype)
    item.set_data_from_numpy(values, binary_data=binary)
    return item


def columns(module: Any = http, *, binary: bool = True) -> list[Any]:
    """An input for each feature."""
    types = {float: (np.float64, "FP64"), str: (np.object_, "BYTES"), bool: (np.bool_, "BOOL")}
    found = []
    for name, values in COLUMNS.items():
        dtype, datatype = types[type(values[0])]
        found.append(tensor(module, name, np.array(values, dtype=dtype), datatype, binary=binary))
    return found


def table(dtype: Any, datatype: str, *, binary: bool = True) -> list[Any]:
    """One input for all features."""
    values = np.array(list(COLUMNS.values())).T.astype(dtype)
    return [tensor(http, "input", np.ascontiguousarray(values), datatype, binary=binary)]


def outputs(result: Any) -> dict[str, Any]:
    """The values of all outputs."""
    return {output["name"]: result.as_numpy(output["name"]) for output in result.get_response()["outputs"]}


def infer(inputs: list[Any], **options: Any) -> dict[str, Any]:
    """Call the model."""
    return outputs(client.infer(MODEL, inputs, **options))


async def infer_aio() -> dict[str, Any]:
    """Call the model with the client for asyncio."""
    async with aio.InferenceServerClient(given["host"]) as found:
        return outputs(await found.infer(MODEL, columns(aio)))


CALLS = {
    "live": client.is_server_live,
    "ready": client.is_server_ready,
    "model ready": lambda: client.is_model_ready(MODEL),
    "version ready": lambda: client.is_model_ready(MODEL, VERSION),
    "server": client.get_server_metadata,
    "model": lambda: client.get_model_metadata(MODEL),
    "version": lambda: client.get_model_metadata(MODEL, VERSION),
    "infer": lambda: infer(columns()),
    "infer JSON": lambda: infer(columns(binary=False)),
    "infer with version": lambda: infer(columns(), model_version=VERSION),
    "infer async": lambda: outputs(client.async_infer(MODEL, columns()).get_result()),
    "infer aio": lambda: asyncio.run(infer_aio()),
    "infer gzip": lambda: infer(columns(), request_compression_algorithm="gzip", response_compression_algorithm="gzip"),
    "infer deflate": lambda: infer(
        columns(), request_compression_algorithm="deflate", response_compression_algorithm="deflate"
    ),
    "one output": lambda: infer(columns(), outputs=[http.InferRequestedOutput("predictions")]),
    "one output JSON": lambda: infer(columns(), outputs=[http.InferRequestedOutput("ids", binary_data=False)]),
    "id": lambda: client.infer(MODEL, columns(), request_id="mine", priority=1).get_response()["id"],
    "unknown output": lambda: infer(columns(), outputs=[http.InferRequestedOutput("nope")]),
    "top classes": lambda: infer(columns(), outputs=[http.InferRequestedOutput("predictions", class_count=1)]),
    "no column": lambda: infer(columns()[1:]),
    "other model": lambda: client.infer("snow", columns()),
    "other model ready": lambda: client.is_model_ready("snow"),
    "other version": lambda: infer(columns(), model_version="1"),
    "other version of metadata": lambda: client.get_model_metadata(MODEL, "1"),
    "configuration": lambda: client.get_model_config(MODEL),
    "statistics": client.get_inference_statistics,
    "repository": client.get_model_repository_index,
    "shared memory": client.get_system_shared_memory_status,
}
TABLES = {
    f"table {datatype}": lambda dtype=dtype, datatype=datatype: infer(table(dtype, datatype))
    for dtype, datatype in (
        (np.float16, "FP16"),
        (np.float32, "FP32"),
        (np.float64, "FP64"),
        (np.int8, "INT8"),
        (np.int64, "INT64"),
    )
}
NUMBERS = {
    **TABLES,
    "table JSON": lambda: infer(table(np.float32, "FP32", binary=False)),
    "missing value": lambda: infer([tensor(http, "input", np.full((1, 3), np.nan), "FP64")]),
    "missing value JSON": lambda: infer([tensor(http, "input", np.full((1, 3), np.nan), "FP64", binary=False)]),
}

report({**CALLS, **(NUMBERS if given["numbers"] else {})})
