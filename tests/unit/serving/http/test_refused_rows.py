"""Requests whose rows the model refuses, and models that fail: the same by both protocols, and counted for drift."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import CategoricalNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from perennate.artifacts import load_verified
from perennate.drift import DriftVerdict, Window, evaluate_drift, validate_counts
from perennate.serving.model.model import BatchPrediction, ServedModel
from perennate.serving.model.schema import Batch
from tests.support.pods.serving import Published, publish
from tests.support.pods.serving_pod import NOW, Pod, running_pod

Send = Callable[[Pod, str, list[dict[str, Any]]], Any]
DATATYPES = {str: "BYTES", bool: "BOOL"}


async def by_records(pod: Pod, model: str, rows: list[dict[str, Any]]) -> httpx.Response:
    """Send rows to `/predict`."""
    del model
    return await pod.traffic.post("/predict", json={"records": rows})


async def by_tensors(pod: Pod, model: str, rows: list[dict[str, Any]]) -> httpx.Response:
    """Send rows by the Open Inference Protocol, one tensor for each field."""
    inputs = [
        {
            "name": name,
            "shape": [len(rows)],
            "datatype": DATATYPES.get(type(value), "FP64"),
            "data": [row[name] for row in rows],
        }
        for name, value in rows[0].items()
    ]
    return await pod.traffic.post(f"/v2/models/{model}/infer", json={"inputs": inputs})


BOTH = pytest.mark.parametrize("send", [by_records, by_tensors])
GOOD = {"sky": "fog", "x": 0.5}
BAD = {"sky": "nova", "x": 0.5}


def loaded(version: Published, *, strict: bool = False) -> ServedModel:
    """The model as a pod loads it."""
    content = load_verified(version.store.read(version.model, version.digest))
    return ServedModel(content, version.digest, strict=strict)


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A model with an encoder that refuses unknown categories. Some values of x were missing in training."""
    rng = np.random.default_rng(14)
    frame = pd.DataFrame({"sky": rng.choice(["clear", "cloudy", "fog"], 600), "x": rng.normal(size=600)})
    labels = [int(value) for value in (frame["sky"] == "fog") | (frame["x"] > 1)]
    encode = make_column_transformer((OneHotEncoder(), ["sky"]), (StandardScaler(), ["x"]))
    return publish(
        tmp_path_factory.mktemp("store"), make_pipeline(encode, LogisticRegression()), frame, labels, model="refusing"
    )


@pytest.fixture
async def pod(refusing: Published) -> AsyncIterator[Pod]:
    """A pod of that model."""
    async with running_pod(loaded(refusing)) as running:
        yield running


async def counts(pod: Pod) -> dict[str, Any]:
    """The counts document of the pod, which the operator reads."""
    document: dict[str, Any] = (await pod.operations.get("/counts")).json()
    validate_counts(document, pod.recording.recorder.profile)
    return document


@BOTH
async def test_one_unknown_category_refuses_the_batch_and_is_named(send: Send, pod: Pod) -> None:
    """All or nothing. The rows are counted for drift; there is no score to count."""
    response = await send(pod, "refusing", [GOOD] * 999 + [BAD])
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    answer = response.json()
    assert answer["error"].endswith("[999].sky: the model does not accept this string: it did not occur in training")
    assert [(entry["index"], entry["feature"]) for entry in answer["invalid"]] == [(999, "sky")]
    assert "nova" not in response.text
    document = await counts(pod)
    assert (document["rows"], document["errors"], sum(document["score"])) == (1000, 0, 0)
    assert document["other"] == [1, 0]
    assert (pod.sample("rows_refused_total"), pod.sample("rows_total")) == (1000, 0)


@BOTH
async def test_traffic_of_a_new_category_is_seen_by_drift(send: Send, pod: Pod) -> None:
    """Twenty refused requests of one row, and one good one."""
    for _ in range(20):
        assert (await send(pod, "refusing", [BAD])).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert (await send(pod, "refusing", [GOOD])).status_code == HTTPStatus.OK
    document = await counts(pod)
    assert (document["rows"], document["other"], sum(document["score"])) == (21, [20, 0], 1)


@BOTH
async def test_null_where_training_had_a_value_is_refused_and_counted_as_missing(send: Send, pod: Pod) -> None:
    """A sensor that fails is drift, although the model predicts nothing for its rows."""
    response = await send(pod, "refusing", [GOOD, {"sky": "fog", "x": None}])
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert response.json()["invalid"][0]["feature"] == "x"
    assert "no missing values in training" in response.json()["error"]
    assert (await counts(pod))["missing"] == [0, 1]


@BOTH
async def test_an_index_error_of_the_model_is_the_fault_of_the_row(send: Send, tmp_path: Path) -> None:
    """CategoricalNB raises IndexError for a code that it does not know."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"zip": rng.choice([1.0, 2, 3, 7], 400), "day": rng.choice(np.arange(7.0), 400)})
    version = publish(tmp_path, CategoricalNB(), frame, [int(value > 2) for value in frame["zip"]], model="bayes")
    async with running_pod(loaded(version)) as pod:
        for code in (9, 100, -1, 1e18):
            response = await send(pod, "bayes", [{"zip": 7, "day": 2}, {"zip": code, "day": 2}])
            assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, code
            assert "[1].zip: the model does not accept this number: it is outside" in response.json()["error"]


class FailingModel(ServedModel):
    """A model that raises an exception for every batch after its warm-up."""

    def __init__(self, model: ServedModel, error: Exception) -> None:
        self.__dict__.update(model.__dict__)
        self.error = error
        self.failing = False

    def predict(self, batch: Batch) -> BatchPrediction:
        """Predict, or raise."""
        if self.failing:
            raise self.error
        return super().predict(batch)


ERRORS = [KeyError("nova"), MemoryError("nova"), RuntimeError("nova"), ValueError("nova"), AttributeError("nova")]


@BOTH
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_a_model_that_fails_for_any_row_gives_500(
    error: Exception, send: Send, refusing: Published, caplog: pytest.LogCaptureFixture
) -> None:
    """The response has an id that is in the log, and neither has a traceback or a value."""
    model = FailingModel(loaded(refusing), error)
    async with running_pod(model) as pod:
        model.failing = True
        response = await send(pod, "refusing", [GOOD, GOOD])
        assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
        assert response.headers["content-type"] == "application/json"
        assert response.json() == {"error": "the model failed; the log of the pod has the cause of error 0000000000"}
        message = caplog.records[-1].getMessage()
        assert message.startswith(
            f"Error 0000000000: the model failed to predict 2 rows: {type(error).__name__} in predict ("
        )
        assert "nova" not in caplog.text
        model.failing = False
        assert (await send(pod, "refusing", [GOOD])).status_code == HTTPStatus.OK
        assert (await counts(pod))["rows"] == 1


@BOTH
async def test_a_misspelt_feature_is_never_predicted(send: Send, refusing: Published) -> None:
    """With a forest, or with an imputer, the absent feature would get some value."""
    async with running_pod(loaded(refusing)) as pod:
        response = await send(pod, "refusing", [{"Sky": "fog", "x": 0.5}])
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'sky: missing; "Sky" is not a feature, did you mean "sky"?' in response.json()["error"]


@BOTH
async def test_other_fields_are_ignored_unless_the_deployment_is_strict(send: Send, refusing: Published) -> None:
    rows = [{**GOOD, "id": "a"}]
    async with running_pod(loaded(refusing)) as pod:
        assert (await send(pod, "refusing", rows)).status_code == HTTPStatus.OK
    async with running_pod(loaded(refusing, strict=True)) as pod:
        response = await send(pod, "refusing", rows)
        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        (entry,) = response.json()["invalid"]
        assert (entry["feature"], entry["error"]) == ("id", '"id" is not a feature; the features are "sky", "x"')
        assert response.json()["error"].endswith(f": {entry['error']}")
        assert (await send(pod, "refusing", [GOOD])).status_code == HTTPStatus.OK


async def test_drift_finds_the_category_that_the_model_refuses(pod: Pod) -> None:
    """One row in thirty has it, so a third of the requests is refused; the rows of the others are as in training."""
    rng = np.random.default_rng(2)
    window = Window(pod.recording.recorder.profile, length=600, scrape_interval=15)
    statuses: list[int] = []
    for scrape in range(1, 31):
        for _ in range(5):
            rows = [
                {"sky": str(sky), "x": float(x)}
                for sky, x in zip(rng.choice(["clear", "cloudy", "fog"], 10), rng.normal(size=10), strict=True)
            ]
            if len(statuses) % 3 == 0:
                rows[4]["sky"] = "nova"
            statuses.append((await by_records(pod, "refusing", rows)).status_code)
        window.add(await counts(pod), pod="a", now=NOW + 15 * scrape)
    evaluation = evaluate_drift(window.sample(NOW + 15 * 31))
    assert Counter(statuses) == {HTTPStatus.OK: 100, HTTPStatus.UNPROCESSABLE_ENTITY: 50}
    assert [(fault.feature, fault.check, fault.rate) for fault in evaluation.faults] == [("sky", "other", 1 / 30)]
    assert {result.name: result.verdict for result in evaluation.features}["x"] is DriftVerdict.NONE
