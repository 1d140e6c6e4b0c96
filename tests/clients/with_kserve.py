"""Calls of KServe's client for REST with its defaults: binary tensors in."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

from tests.clients.calls import report_async, settings

given = settings()
URL, MODEL, COLUMNS = f"http://{given['host']}", given["model"], given["columns"]
TYPES = {float: (np.float64, "FP64"), str: (np.object_, "BYTES"), bool: (np.bool_, "BOOL")}


def columns(dtype: Any = None, datatype: str | None = None, *, binary: bool = True) -> list[Any]:
    """An input for each feature; `dtype` and `datatype` are for all if given."""
    found = []
    for name, values in COLUMNS.items():
        own, own_name = TYPES[type(values[0])]
        item = InferInput(name, [len(values)], datatype or own_name)
        item.set_data_from_numpy(np.array(values, dtype=dtype or own), binary_data=binary)
        found.append(item)
    return found


async def infer(client: Any, inputs: list[Any], model: str = MODEL, **fields: Any) -> dict[str, Any]:
    """Call the model."""
    request = InferRequest(model_name=model, infer_inputs=inputs, **fields)
    response = await client.infer(URL, request, model_name=model)
    return {output.name: output.as_numpy() for output in response.outputs}


async def main() -> None:
    """Call the pod."""
    async with InferenceRESTClient(RESTConfig(protocol="v2", timeout=60)) as client:
        calls = {
            "live": lambda: client.is_server_live(URL),
            "ready": lambda: client.is_server_ready(URL),
            "model ready": lambda: client.is_model_ready(URL, MODEL),
            "other model ready": lambda: client.is_model_ready(URL, "snow"),
            "infer": lambda: infer(client, columns()),
            "infer JSON": lambda: infer(client, columns(binary=False)),
            "binary outputs": lambda: infer(client, columns(), parameters={"binary_data_output": True}),
            "one output": lambda: infer(client, columns(), request_outputs=[RequestedOutput("predictions")]),
            "unknown output": lambda: infer(client, columns(), request_outputs=[RequestedOutput("nope")]),
            "no column": lambda: infer(client, columns()[1:]),
            "other model": lambda: infer(client, columns(), model="snow"),
        }
        if given["numbers"]:
            calls["infer FP16"] = lambda: infer(client, columns(np.float16, "FP16"))
            calls["infer INT8"] = lambda: infer(client, columns(np.int8, "INT8"))
        await report_async(calls)


asyncio.run(main())
