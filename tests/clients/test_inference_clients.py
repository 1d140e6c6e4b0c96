"""The clients of Triton and KServe with their defaults, each in its own process, against a pod."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

from tests.support.docs.pages import all_blocks
from tests.support.pods.ready import fetched
from tests.support.pods.serving import (
    Published,
    ServingProcess,
    publish_clothes,
    publish_rain,
    serving,
)
from tests.support.tree import ROOT
from tools.locked_environment import LockedEnvironment

CLIENTS = LockedEnvironment("tritonclient", Path(__file__).parent / "requirements.txt")
ROWS = 3
NUMBERS: dict[str, list[Any]] = {"TEMP": [1.0, -2.0, 3.0], "DEW POINT": [0.0, 5.0, -1.0], "pressure": [2.0, 2.0, 7.0]}
"""Whole numbers, which every datatype of the calls can hold."""
MIXED: dict[str, list[Any]] = {
    "TEMP": [1.5, -2.0, 0.0],
    "sky": ["fog", "clear", "Zürich ☀"],
    "weekend": [True, False, True],
}


@pytest.fixture(scope="module")
def pods(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, tuple[Published, ServingProcess]]]:
    """A pod for a model of numbers, and one for a model of numbers, text and booleans."""
    folder = tmp_path_factory.mktemp("pods")
    rain, clothes = publish_rain(folder / "store"), publish_clothes(folder / "store")
    environments = {item.model: fetched(item, folder / item.model) for item in (rain, clothes)}
    with serving(environments["rain"]) as first, serving(environments["clothes"]) as second:
        first.wait_ready()
        second.wait_ready()
        yield {"rain": (rain, first), "clothes": (clothes, second)}


def run(script: str, pod: ServingProcess, published: Published, columns: Mapping[str, list[Any]]) -> dict[str, Any]:
    """What each call of a client returned, or the message of its error."""
    given = {
        "host": urlsplit(pod.url).netloc,
        "model": published.model,
        "version": published.digest,
        "columns": columns,
        "numbers": columns is NUMBERS,
    }
    command = [str(CLIENTS.python()), "-m", f"tests.clients.{script}", json.dumps(given)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def predict(pod: ServingProcess, columns: Mapping[str, list[Any]]) -> dict[str, Any]:
    """The response of `/predict` for the same rows."""
    records = [{name: values[row] for name, values in columns.items()} for row in range(ROWS)]
    document: dict[str, Any] = httpx.post(f"{pod.url}/predict", json={"records": records}, timeout=60).json()
    return document


def check_answers(found: Mapping[str, Any], names: list[str], want: Mapping[str, Any]) -> None:
    """Each of these calls returned the answer of `/predict`."""
    for name in names:
        result = found[name].get("result")
        assert result is not None, f"{name}: {found[name]}"
        assert result["predictions"] == want["predictions"], name
        np.testing.assert_allclose(result["probabilities"], want["probabilities"], err_msg=name)
        assert len(result["ids"]) == ROWS


def check_errors(found: Mapping[str, Any], want: Mapping[str, str]) -> None:
    """Each of these calls failed, and the client shows the text of the pod."""
    for name, text in want.items():
        assert text in found[name].get("error", f"returned {found[name]}"), name


def test_tritonclient(pods: Mapping[str, tuple[Published, ServingProcess]]) -> None:
    """Health, metadata, and inference in every form of the client."""
    published, pod = pods["rain"]
    found = run("with_tritonclient", pod, published, NUMBERS)
    for name in ("live", "ready", "model ready", "version ready"):
        assert found[name] == {"result": True}, name
    assert found["server"]["result"] == {
        "name": "perennate",
        "version": version("perennate"),
        "extensions": ["binary_tensor_data"],
    }
    assert found["model"] == found["version"]
    assert found["model"]["result"]["versions"] == [published.digest]
    forms = ["infer", "infer JSON", "infer with version", "infer async", "infer aio", "infer gzip"]
    tables = [f"table {name}" for name in ("JSON", "FP16", "FP32", "FP64", "INT8", "INT64")]
    check_answers(found, [*forms, *tables], predict(pod, NUMBERS))
    assert list(found["one output"]["result"]) == ["predictions"]
    assert list(found["one output JSON"]["result"]) == ["ids"]
    assert found["id"] == {"result": "mine"}
    assert found["other model ready"] == {"result": False}
    check_errors(
        found,
        {
            "unknown output": "outputs[0].name: must be one of predictions, probabilities, ids, got",
            "infer deflate": "content-encoding: must be gzip",
            "top classes": "outputs[0].parameters.classification: is not supported",
            "no column": "TEMP",
            "missing value": "TEMP",
            "missing value JSON": "send null for a missing value",
            "other model": "this pod serves the model",
            "other version": f"this pod serves version {published.digest}",
            "other version of metadata": f"this pod serves version {published.digest}",
            "configuration": "is no path of the protocol",
            "statistics": "this pod serves the model",
            "repository": "is no path of the protocol",
            "shared memory": "is no path of the protocol",
        },
    )


def test_tritonclient_with_text_and_booleans(pods: Mapping[str, tuple[Published, ServingProcess]]) -> None:
    """BYTES and BOOL tensors, and text classes in the answer."""
    published, pod = pods["clothes"]
    found = run("with_tritonclient", pod, published, MIXED)
    check_answers(found, ["infer", "infer JSON", "infer async", "infer aio"], predict(pod, MIXED))


def test_the_example_in_the_reference(pods: Mapping[str, tuple[Published, ServingProcess]]) -> None:
    """It prints what its comment says."""
    (block,) = [item for item in all_blocks("python") if item.runner == "tests/clients/test_inference_clients.py"]
    text = block.text.replace("localhost:3000", urlsplit(pods["rain"][1].url).netloc)
    done = subprocess.run([str(CLIENTS.python()), "-c", text], capture_output=True, text=True, timeout=300, check=False)
    assert f"# {done.stdout}" == text.splitlines(keepends=True)[-1], done.stderr


def test_kserve(pods: Mapping[str, tuple[Published, ServingProcess]]) -> None:
    """Health, and inference with binary and JSON tensors."""
    published, pod = pods["rain"]
    found = run("with_kserve", pod, published, NUMBERS)
    for name in ("live", "ready", "model ready"):
        assert found[name] == {"result": True}, name
    assert found["other model ready"] == {"result": False}
    forms = ["infer", "infer JSON", "binary outputs", "infer FP16", "infer INT8"]
    check_answers(found, forms, predict(pod, NUMBERS))
    assert list(found["one output"]["result"]) == ["predictions"]
    check_errors(
        found,
        {
            "unknown output": "outputs[0].name: must be one of predictions, probabilities, ids, got",
            "no column": "TEMP",
            "other model": "this pod serves the model",
        },
    )


def test_kserve_with_text_and_booleans(pods: Mapping[str, tuple[Published, ServingProcess]]) -> None:
    """BYTES and BOOL tensors."""
    published, pod = pods["clothes"]
    found = run("with_kserve", pod, published, MIXED)
    check_answers(found, ["infer", "infer JSON", "binary outputs"], predict(pod, MIXED))
