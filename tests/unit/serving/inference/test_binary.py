"""The binary tensor data extension, byte by byte."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pytest

from perennate.serving.model.model import ServedModel
from tests.support.pods.inference import HEADER, binary_body, encode, infer_binary, outputs_of, tensor
from tests.support.pods.serving_pod import Pod, running_pod

URL = "/v2/models/rain/infer"
FEATURES = ["TEMP", "DEW POINT", "pressure"]
VALUES = [1.0, -2.0, 3.0, 4.0, 5.0, -6.0]
TABLE = tensor("input", VALUES, [2, 3])


async def test_the_bytes_of_a_request_and_of_its_response(rain: Pod) -> None:
    """One request written by hand, and the bytes of each output."""
    document = (
        b'{"id":"7","inputs":[{"name":"input","shape":[1,3],"datatype":"FP32","parameters":{"binary_data_size":12}}],'
        b'"parameters":{"binary_data_output":true}}'
    )
    body = document + b"\x00\x00\x80\x3f" + b"\x00\x00\x00\xc0" + b"\x00\x00\x40\x40"
    headers = {"content-type": "application/octet-stream", HEADER: str(len(document))}
    response = await rain.traffic.post(URL, content=body, headers=headers)
    assert response.status_code == HTTPStatus.OK, response.text
    assert response.headers["content-type"] == "application/octet-stream"
    assert int(response.headers["content-length"]) == len(response.content)
    length = int(response.headers[HEADER])
    answer = json.loads(response.content[:length])
    assert (answer["model_name"], answer["id"]) == ("rain", "7")
    sizes = {output["name"]: output["parameters"]["binary_data_size"] for output in answer["outputs"]}
    assert all("data" not in output for output in answer["outputs"])
    assert {output["name"]: (output["datatype"], output["shape"]) for output in answer["outputs"]} == {
        "predictions": ("INT64", [1]),
        "probabilities": ("FP64", [1, 2]),
        "ids": ("BYTES", [1]),
    }
    data = response.content[length:]
    assert sizes == {"predictions": 8, "probabilities": 16, "ids": len(data) - 24}
    want = (await rain.traffic.post("/predict", json={"records": [dict(zip(FEATURES, VALUES, strict=False))]})).json()
    assert struct.unpack_from("<qdd", data) == (want["predictions"][0], *want["probabilities"][0])
    assert struct.unpack_from("<I", data, 24) == (len(data) - 28,)
    assert data[28:].decode().startswith(want["ids"][0].split(".")[0])


async def test_json_and_binary_tensors_in_one_request(rain: Pod) -> None:
    """The data of binary tensors follows in the order of the inputs; others have theirs in the JSON object."""
    columns = [tensor(name, VALUES[index::3]) for index, name in enumerate(FEATURES)]
    want = outputs_of(await rain.traffic.post(URL, json={"inputs": columns}))
    first, second = encode("FP64", columns[0]["data"]), encode("FP16", columns[2]["data"])
    inputs = [
        {"name": "pressure", "shape": [2], "datatype": "FP16", "parameters": {"binary_data_size": len(second)}},
        columns[1],
        {"name": "TEMP", "shape": [2, 1], "datatype": "FP64", "parameters": {"binary_data_size": len(first)}},
    ]
    document = json.dumps({"inputs": inputs}).encode()
    response = await rain.traffic.post(URL, content=document + second + first, headers={HEADER: str(len(document))})
    assert response.headers["content-type"] == "application/json"
    assert HEADER not in response.headers
    assert outputs_of(response)["probabilities"] == want["probabilities"]


OUTPUTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "none": ({}, set()),
    "all": ({"parameters": {"binary_data_output": True}}, {"predictions", "probabilities", "ids"}),
    "one": (
        {"outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}, {"name": "predictions"}]},
        {"probabilities"},
    ),
    "all but one": (
        {
            "parameters": {"binary_data_output": True},
            "outputs": [{"name": "ids", "parameters": {"binary_data": False}}, {"name": "predictions"}],
        },
        {"predictions"},
    ),
}


@pytest.mark.parametrize(("fields", "want"), OUTPUTS.values(), ids=OUTPUTS.keys())
@pytest.mark.parametrize("binary", [True, False], ids=["binary inputs", "JSON inputs"])
async def test_which_outputs_are_binary(fields: dict[str, Any], want: set[str], rain: Pod, *, binary: bool) -> None:
    """A parameter of the request decides, unless the output has one; the form of the inputs does not matter."""
    if binary:
        response = await infer_binary(rain.traffic, "rain", [TABLE], **fields)
    else:
        response = await rain.traffic.post(URL, json={"inputs": [TABLE], **fields})
    document = json.loads(response.content[: int(response.headers.get(HEADER, len(response.content)))])
    assert {output["name"] for output in document["outputs"] if "parameters" in output} == want
    assert (HEADER in response.headers) == bool(want)
    assert outputs_of(response).keys() == {output["name"] for output in document["outputs"]}


async def test_binary_text_and_booleans(models: Mapping[str, ServedModel]) -> None:
    """BYTES has a length before each value; BOOL is one byte. Text classes come back as BYTES."""
    inputs = [
        tensor("TEMP", [1, 2, -3], datatype="INT8"),
        tensor("sky", ["fog", "", "Zürich ☀"], datatype="BYTES"),
        tensor("weekend", [True, False, True], [3, 1], "BOOL"),
    ]
    async with running_pod(models["clothes"]) as pod:
        want = outputs_of(await pod.traffic.post("/v2/models/clothes/infer", json={"inputs": inputs}))
        response = await infer_binary(pod.traffic, "clothes", inputs, parameters={"binary_data_output": True})
    found = outputs_of(response)
    assert found["predictions"] == want["predictions"] == ["shirt", "shirt", "coat"]
    assert found["probabilities"] == want["probabilities"]


def text_body(data: bytes, rows: int) -> tuple[bytes, dict[str, str]]:
    """A request with these bytes for the strings of `sky`."""
    inputs = [
        tensor("TEMP", [1.0] * rows),
        tensor("weekend", [True] * rows, datatype="BOOL"),
        {"name": "sky", "datatype": "BYTES", "shape": [rows], "parameters": {"binary_data_size": len(data)}},
    ]
    document = json.dumps({"inputs": inputs}).encode()
    return document + data, {HEADER: str(len(document)), "content-type": "application/octet-stream"}


BYTES_REFUSED: dict[str, tuple[bytes, int, str]] = {
    "length beyond the data": (b"\x09\x00\x00\x00fog", 1, 'row 0 of "sky": its length exceeds the data'),
    "huge length": (b"\xff\xff\xff\xfffog", 1, 'row 0 of "sky": its length exceeds the data'),
    "data ends in a length": (b"\x03\x00\x00\x00fog\x01\x00", 2, 'row 1 of "sky": its length exceeds the data'),
    "too few values": (b"\x03\x00\x00\x00fog", 2, 'row 1 of "sky": its length exceeds the data'),
    "too many values": (encode("BYTES", ["fog", "clear"]), 1, 'row 0 of "sky": the data has 9 bytes more than its'),
    "no data": (b"", 1, 'row 0 of "sky": its length exceeds the data'),
    "not UTF-8": (encode("BYTES", ["fog", b"\xff\xfe"]), 2, 'row 1 of "sky": must be text in UTF-8'),
    "half of a surrogate pair": (encode("BYTES", [b"\xed\xa0\x80"]), 1, 'row 0 of "sky": must be text in UTF-8'),
}


@pytest.mark.parametrize(("data", "rows", "want"), BYTES_REFUSED.values(), ids=BYTES_REFUSED.keys())
async def test_invalid_strings_are_refused(
    data: bytes, rows: int, want: str, models: Mapping[str, ServedModel]
) -> None:
    body, headers = text_body(data, rows)
    async with running_pod(models["clothes"]) as pod:
        response = await pod.traffic.post("/v2/models/clothes/infer", content=body, headers=headers)
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert response.json()["error"].startswith(f"inputs[2].data, {want}")


async def test_a_boolean_is_a_byte_of_value_0_or_1(models: Mapping[str, ServedModel]) -> None:
    inputs = [tensor("TEMP", [1.0, 2.0]), tensor("sky", ["fog", "fog"], datatype="BYTES")]
    body, headers = binary_body([*inputs, tensor("weekend", [True, True], datatype="BOOL")])
    async with running_pod(models["clothes"]) as pod:
        response = await pod.traffic.post(
            "/v2/models/clothes/infer", content=body.removesuffix(b"\x01") + b"\x02", headers=headers
        )
    assert response.json()["error"] == 'inputs[2].data, row 1 of "weekend": must be a byte of value 0 or 1 for BOOL'


BODY, HEADERS = binary_body([TABLE])
LENGTH = int(HEADERS[HEADER])
LIMIT = f"{HEADER}: must be the length of the JSON object, from 1 to the {len(BODY)} bytes of the body"
FRAMES: dict[str, tuple[bytes, str | None, str]] = {
    "no header, no data": (
        BODY[:LENGTH],
        None,
        f"inputs[0].parameters.binary_data_size: needs the header {HEADER}, the length of the JSON object",
    ),
    "zero": (BODY, "0", LIMIT),
    "negative": (BODY, "-5", LIMIT),
    "beyond the body": (BODY, str(len(BODY) + 1), LIMIT),
    "text": (BODY, "abc", LIMIT),
    "a fraction": (BODY, "12.0", LIMIT),
    "empty": (BODY, "", LIMIT),
    "many digits": (BODY, "9" * 5000, LIMIT),
    "other digits": (BODY, "²", LIMIT),
    "too short": (BODY, str(LENGTH - 1), "body: must be JSON"),
    "too long": (BODY, str(LENGTH + 1), "body: must be JSON"),
    "data too short": (
        BODY[:-1],
        str(LENGTH),
        "inputs[0].parameters.binary_data_size: is 48, but only 47 bytes of the body are left",
    ),
    "data too long": (
        BODY + b"xy",
        str(LENGTH),
        "body: has 2 bytes more than the binary_data_size of all inputs together",
    ),
}


async def test_the_error_of_a_forgotten_header_names_it(rain: Pod) -> None:
    """The binary data is not JSON, so that is the first error."""
    response = await rain.traffic.post(URL, content=BODY, headers={"content-type": "application/octet-stream"})
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert response.json()["error"].startswith("body: must be JSON, ")
    assert response.json()["error"].endswith(f"; a body with binary data needs the header {HEADER}")


@pytest.mark.parametrize(("body", "header", "want"), FRAMES.values(), ids=FRAMES.keys())
async def test_a_body_that_does_not_match_its_header_is_refused(
    body: bytes, header: str | None, want: str, rain: Pod
) -> None:
    headers = [(b"content-type", b"application/octet-stream")]
    if header is not None:
        headers.append((HEADER.encode(), header.encode("latin-1")))
    response = await rain.traffic.post(URL, content=body, headers=headers)
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert response.json()["error"].startswith(want)


SIZES: dict[str, tuple[Any, str]] = {
    "text": ("48", "inputs[0].parameters.binary_data_size: must be a whole number of at least 0"),
    "negative": (-1, "inputs[0].parameters.binary_data_size: must be a whole number of at least 0"),
    "a fraction": (48.0, "inputs[0].parameters.binary_data_size: must be a whole number of at least 0"),
    "a boolean": (True, "inputs[0].parameters.binary_data_size: must be a whole number of at least 0"),
    "huge": (2**60, "inputs[0].parameters.binary_data_size: is 1152921504606846976, but only 48 bytes"),
    "smaller than the tensor": (40, "body: has 8 bytes more than the binary_data_size of all inputs together"),
}


@pytest.mark.parametrize(("size", "want"), SIZES.values(), ids=SIZES.keys())
async def test_an_invalid_size_is_refused(size: Any, want: str, rain: Pod) -> None:
    document = json.dumps(
        {"inputs": [{"name": "input", "datatype": "FP64", "shape": [2, 3], "parameters": {"binary_data_size": size}}]}
    ).encode()
    response = await rain.traffic.post(
        URL, content=document + encode("FP64", VALUES), headers={HEADER: str(len(document))}
    )
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert response.json()["error"].startswith(want)


async def test_a_compressed_body(rain: Pod) -> None:
    """The header has the length of the JSON object before compression."""
    want = outputs_of(await infer_binary(rain.traffic, "rain", [TABLE]))
    headers = {**HEADERS, "content-encoding": "gzip"}
    found = outputs_of(await rain.traffic.post(URL, content=gzip.compress(BODY), headers=headers))
    assert found["probabilities"] == want["probabilities"]


async def test_data_and_a_size_are_refused(rain: Pod) -> None:
    body = {"inputs": [{**TABLE, "parameters": {"binary_data_size": 48}}]}
    response = await rain.traffic.post(URL, json=body)
    assert response.json()["error"] == "inputs[0]: must have either data or parameters.binary_data_size, got both"


@pytest.mark.parametrize("path", ["/predict", "/feedback"])
async def test_other_routes_accept_only_json(path: str, rain: Pod) -> None:
    """Binary data is for inference requests alone."""
    response = await rain.traffic.post(path, content=b"x", headers={"content-type": "application/octet-stream"})
    assert response.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    assert response.json() == {"error": "content-type: must be application/json"}
    response = await rain.traffic.post(URL, content=b"x", headers={"content-type": "application/x-protobuf"})
    assert response.json() == {"error": "content-type: must be application/json or application/octet-stream"}
