"""`POST /predict`, served by the BentoML application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any

import orjson
import pytest

from perennate.drift import Profile, validate_counts
from perennate.serving.capture.identifiers import parse_id
from perennate.serving.model.model import ServedModel
from perennate.serving.model.schema import MAX_ROWS
from perennate.serving.port.bodies import MAX_BODY_BYTES
from tests.support.pods.serving import Published
from tests.support.pods.serving_pod import NOW, Pod, running_pod

Models = Mapping[str, ServedModel]
Versions = Mapping[str, Published]


async def test_response_of_a_classifier(rain: Pod, published: Versions, models: Models) -> None:
    """The response has the class, the probabilities in the order of the classes, an id and the version."""
    records, model = published["rain"].records(5), models["rain"]
    response = await rain.traffic.post("/predict", json={"records": records})
    assert response.status_code == HTTPStatus.OK
    answer = response.json()
    outcome = model.predict(model.schema.read(records))
    assert outcome.probabilities is not None
    assert answer == {
        "predictions": outcome.predictions.tolist(),
        "probabilities": outcome.probabilities.tolist(),
        "classes": [0, 1],
        "ids": answer["ids"],
        "model": {"name": "rain", "version": model.digest},
    }
    bins = rain.recording.recorder.bin_scores(outcome.probabilities[:, 1]).tolist()
    assert [parse_id(text).answer for text in answer["ids"]] == bins
    assert {parse_id(text).version for text in answer["ids"]} == {model.prefix}
    assert {parse_id(text).time_ms for text in answer["ids"]} == {int(NOW * 1000)}
    assert response.headers["x-model-version"] == model.digest
    assert response.headers["x-prediction-id"].split(",") == answer["ids"]


@pytest.mark.parametrize("name", ["clothes", "height", "gaps", "forest", "ridge"])
async def test_every_type_of_model_predicts(name: str, models: Models, published: Versions) -> None:
    """Text classes, regression, missing values, no probabilities, and a model that is slow enough for a thread."""
    model, records = models[name], published[name].records(3)
    async with running_pod(model) as pod:
        answer = (await pod.traffic.post("/predict", json={"records": records})).json()
    outcome = model.predict(model.schema.read(records))
    assert answer["predictions"] == outcome.predictions.tolist()
    assert ("probabilities" in answer) is (name not in {"height", "ridge"})


async def test_header_has_only_the_first_id_of_many_rows(rain: Pod, published: Versions) -> None:
    """Proxies would refuse a header with a hundred ids."""
    response = await rain.traffic.post("/predict", json={"records": published["rain"].records(17)})
    assert response.headers["x-prediction-id"] == response.json()["ids"][0]


async def test_a_label_for_a_prediction_is_counted(rain: Pod, published: Versions) -> None:
    """The counts document has the prediction and, after feedback, the label."""
    records = published["rain"].records(40)
    ids = (await rain.traffic.post("/predict", json={"records": records})).json()["ids"]
    labels = [{"id": text, "label": label} for text, label in zip(ids, published["rain"].labels, strict=False)]
    receipt = await rain.traffic.post("/feedback", json=labels)
    assert receipt.json() == {"counted": 40, "not_countable": 0, "duplicates": 0, "other_version": 0, "invalid": []}
    document = (await rain.operations.get("/counts")).json()
    profile = Profile.from_bytes((await rain.operations.get("/profile")).content)
    counts = validate_counts(document, profile)
    assert (counts.rows, counts.errors) == (40, 0)
    assert sum(map(sum, document["labels"].values())) == 40
    assert sum(document["score"]) == 40
    assert rain.sample("rows_total") == 40
    assert rain.sample("labels_total", outcome="counted") == 40


JSON_TYPE = {"content-type": "application/json"}


def body(value: Any) -> bytes:
    """The value as JSON."""
    return orjson.dumps(value)


GOOD = {"TEMP": 1.0, "DEW POINT": 2.0, "pressure": 3.0}
REFUSED: dict[str, tuple[bytes, dict[str, str], HTTPStatus, str]] = {
    "invalid JSON": (b"{", JSON_TYPE, HTTPStatus.BAD_REQUEST, "body: must be JSON"),
    "empty": (b"", JSON_TYPE, HTTPStatus.BAD_REQUEST, "body: must be JSON"),
    "not UTF-8": (b'{"records": "\xff"}', JSON_TYPE, HTTPStatus.BAD_REQUEST, "body: must be JSON"),
    "NaN": (b'{"records": [{"TEMP": NaN}]}', JSON_TYPE, HTTPStatus.BAD_REQUEST, "body: must be JSON"),
    "infinity": (b'{"records": [{"TEMP": 1e999}]}', JSON_TYPE, HTTPStatus.BAD_REQUEST, "body: must be JSON"),
    "2000 levels": (b"[" * 2000 + b"]" * 2000, JSON_TYPE, HTTPStatus.BAD_REQUEST, "body: must be JSON"),
    "1000 levels": (
        b'{"records": [{"TEMP": ' + b"[" * 1000 + b"]" * 1000 + b"}]}",
        JSON_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "records[0].TEMP: got a list; expected a number",
    ),
    "a list": (b"[]", JSON_TYPE, HTTPStatus.BAD_REQUEST, 'body: must be an object with the one field "records"'),
    "a number": (b"3", JSON_TYPE, HTTPStatus.BAD_REQUEST, 'body: must be an object with the one field "records"'),
    "other fields": (
        body({"records": [GOOD], "instances": []}),
        JSON_TYPE,
        HTTPStatus.BAD_REQUEST,
        'body: must be an object with the one field "records", got the fields instances, records',
    ),
    "missing value": (
        body({"records": [GOOD, {**GOOD, "TEMP": None}]}),
        JSON_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "records[1].TEMP: got null; expected a number",
    ),
    "too many rows": (
        body({"records": [{}] * (MAX_ROWS + 1)}),
        JSON_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "records: must hold 1 to 10000 rows, got 10001",
    ),
    "pickle": (
        b"\x80\x04.",
        {"content-type": "application/vnd.bentoml+pickle"},
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "content-type: must be application/json",
    ),
    "form": (
        b"a=b",
        {"content-type": "application/x-www-form-urlencoded"},
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "content-type: must be application/json",
    ),
    "too long": (
        b" " * (MAX_BODY_BYTES + 1),
        JSON_TYPE,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"body: must have at most {MAX_BODY_BYTES} bytes",
    ),
}


NOT_JSON = [
    "NaN",
    "-NaN",
    "Infinity",
    "-Infinity",
    "nan",
    "inf",
    "None",
    "NULL",
    "undefined",
    "1e999",
    "-1e400",
    "9" * 400,
]


@pytest.mark.parametrize("word", NOT_JSON, ids=lambda word: word[:12])
@pytest.mark.parametrize("path", ["/predict", "/v2/models/rain/infer"])
async def test_the_error_for_a_missing_value_that_is_not_json_says_null(path: str, word: str, rain: Pod) -> None:
    """Other languages write these for a missing value, or for one that is not finite."""
    content = f'{{"records": [{{"DEW POINT": "é", "TEMP": {word}}}]}}'
    response = await rain.traffic.post(path, content=content, headers=JSON_TYPE)
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert response.json()["error"].endswith("are not JSON: send null for a missing value")


@pytest.mark.parametrize(("content", "headers", "status", "want"), REFUSED.values(), ids=REFUSED.keys())
async def test_invalid_bodies_are_refused_with_a_reason(
    content: bytes, headers: dict[str, str], status: HTTPStatus, want: str, rain: Pod
) -> None:
    """Nothing of an invalid body is counted, and the next request succeeds."""
    response = await rain.traffic.post("/predict", content=content, headers=headers)
    assert response.status_code == status
    assert response.json()["error"].startswith(want)
    assert rain.sample("rows_total") == 0
    assert (await rain.traffic.post("/predict", json={"records": [GOOD]})).status_code == HTTPStatus.OK
    assert rain.sample("requests_total", endpoint="predict", code=str(int(status))) == 1


async def test_a_chunked_body_is_limited(rain: Pod) -> None:
    """Its size is counted while it is received."""

    async def pieces() -> AsyncIterator[bytes]:
        """A body without a content length."""
        for _ in range(20):
            yield b" " * 1_000_000

    response = await rain.traffic.post("/predict", content=pieces(), headers=JSON_TYPE)
    assert response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize("path", ["/predict", "/feedback", "/v2/models/rain/infer"])
async def test_no_route_reads_a_pickle(path: str, rain: Pod) -> None:
    """Status 415 is returned before anything could be unpickled."""
    response = await rain.traffic.post(
        path, content=b"\x80\x04.", headers={"content-type": "application/vnd.bentoml+pickle"}
    )
    assert response.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
async def test_a_value_out_of_the_models_range_gives_422(models: Models) -> None:
    """The number has the right type but is too large for float32, so the model refuses it; that is not an error 500."""
    async with running_pod(models["forest"]) as pod:
        response = await pod.traffic.post("/predict", json={"records": [{**GOOD, "TEMP": 1e39}]})
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    error = "records[0].TEMP: the model does not accept this number: it is outside the range of training"
    assert response.json()["error"] == error


async def test_a_recording_error_does_not_fail_the_request(rain: Pod, published: Versions) -> None:
    """The prediction is returned, and the error is counted."""
    rain.recording.recorder.profile = Profile.from_bytes(published["height"].profile.to_bytes())
    rain.recording.recorder._features._numeric.names = ["TEMP"] * 5
    response = await rain.traffic.post("/predict", json={"records": [GOOD]})
    assert response.status_code == HTTPStatus.OK
    assert parse_id(response.json()["ids"][0]).answer is None
    assert (await rain.operations.get("/counts")).json()["errors"] == 1
    assert rain.sample("recording_errors_total") == 1


async def test_the_published_schema_has_the_features(rain: Pod) -> None:
    """The schema, which BentoML clients read, has the name and type of each feature."""
    routes = (await rain.traffic.get("/schema.json")).json()["routes"]
    assert [route["route"] for route in routes] == ["/predict"]
    record = routes[0]["input"]["properties"]["records"]["items"]
    assert {name: field["type"] for name, field in record["properties"].items()} == dict.fromkeys(GOOD, "number")
    assert record["required"] == list(GOOD)


async def test_the_page_loads_no_external_resources(rain: Pod) -> None:
    """The default page of BentoML embeds a tracker, so it is replaced."""
    page = (await rain.traffic.get("/")).text
    assert "DEW POINT" in page
    assert "<script" not in page
    assert "https://" not in page


async def test_unknown_paths_share_one_time_series(rain: Pod) -> None:
    """Scanners must not increase the number of series in Prometheus."""
    for number in range(20):
        assert (await rain.traffic.get(f"/scan/{number}")).status_code == HTTPStatus.NOT_FOUND
    assert rain.sample("requests_total", endpoint="other", code="404") == 20
