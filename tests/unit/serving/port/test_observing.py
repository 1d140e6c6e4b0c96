"""Metrics, request ids, access log, compression and CORS of the traffic port, with a model behind it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from http import HTTPStatus

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from perennate.api.documents.serving_config import HttpConfig
from perennate.serving.lifecycle import Lifecycle
from perennate.serving.metrics import Metrics
from perennate.serving.model.model import ServedModel
from perennate.serving.port.access_log import ERROR_LINES, AccessLog, Entry
from perennate.serving.port.connections import CLIENT_CLOSED, FINAL_CODE
from perennate.serving.port.large_bodies import LargeBodies
from perennate.serving.port.request_ids import RequestIds
from perennate.serving.port.stack import accepts_gzip, traffic_app
from tests.support.pods.serving import Published
from tests.support.pods.serving_pod import NOW, Pod, client, running_pod

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
ORIGIN = "https://app.example"
VALUE = "4711.0815"
"""A value of a row, which no log may hold."""


async def test_ids_of_a_request_are_in_its_response(rain: Pod) -> None:
    answer = await rain.traffic.get("/", headers={"X-Request-Id": "abc-1", "traceparent": PARENT})
    assert (answer.headers["x-request-id"], answer.headers["traceparent"]) == ("abc-1", PARENT)
    refused = await rain.traffic.post("/predict", content=b"[", headers={"X-Request-Id": "abc-2"})
    assert (refused.status_code, refused.headers["x-request-id"]) == (HTTPStatus.BAD_REQUEST, "abc-2")


async def test_a_request_without_an_id_gets_a_new_one(rain: Pod) -> None:
    ids = {(await rain.traffic.get("/v2")).headers["x-request-id"] for _ in range(3)}
    assert {len(text) for text in ids} == {16}
    assert len(ids) == 3


@pytest.mark.parametrize(
    "value", [b"", b"a b", b"x" * 129, "é".encode(), b"a\tb", b"a\x7f"], ids=lambda value: repr(value)[:20]
)
def test_an_invalid_request_id_is_replaced(value: bytes) -> None:
    assert RequestIds.of([(b"x-request-id", value)]).request_id != value


@pytest.mark.parametrize(
    ("value", "trace"),
    {
        PARENT: TRACE,
        f"01-{TRACE}-b7ad6b7169203331-00-later": TRACE,
        f"ff-{TRACE}-b7ad6b7169203331-01": None,
        f"00-{'0' * 32}-b7ad6b7169203331-01": None,
        f"00-{TRACE}-{'0' * 16}-01": None,
        f"00-{TRACE.upper()}-b7ad6b7169203331-01": None,
        f"00-{TRACE[:-1]}-b7ad6b7169203331-01": None,
        f"00-{TRACE}-b7ad6b7169203331-01 ": None,
        "": None,
    }.items(),
)
def test_only_a_valid_traceparent_counts(value: str, trace: str | None) -> None:
    ids = RequestIds.of([(b"traceparent", value.encode())])
    assert (ids.trace_id and ids.trace_id.decode()) == trace
    assert (ids.parent and ids.parent.decode()) == (value if trace else None)


async def test_the_access_log_holds_no_data(models: Mapping[str, ServedModel]) -> None:
    """Neither bodies nor query strings, also of refused requests."""
    async with running_pod(models["rain"], HttpConfig(access_log="All")) as pod:
        record = {"TEMP": float(VALUE), "DEW POINT": 1, "pressure": 2}
        headers = {"X-Request-Id": "abc", "traceparent": PARENT}
        await pod.traffic.post(f"/predict?row={VALUE}", json={"records": [record]}, headers=headers)
        await pod.traffic.post("/predict", json={"records": [{"TEMP": VALUE}]})
        await pod.traffic.post("/predict", content=f'{{"records": {VALUE}')
        await pod.traffic.get("/" + "x" * 500)
    lines = [json.loads(line) for line in pod.log]
    assert [(line["status"], line["path"]) for line in lines] == [
        (200, "/predict"),
        (422, "/predict"),
        (400, "/predict"),
        (404, "/" + "x" * 199),
    ]
    assert (
        lines[0].items()
        >= {
            "time": "2026-01-01T00:00:00.000+00:00",
            "method": "POST",
            "requestId": "abc",
            "traceId": TRACE,
        }.items()
    )
    assert lines[0]["bytes"] > 100
    assert VALUE not in "".join(pod.log)


@pytest.mark.parametrize(
    ("mode", "want"), [("Off", []), ("Errors", [408, 499, 500, 503]), ("All", [200, 404, 408, 499, 500, 503])]
)
def test_modes_of_the_access_log(mode: str, want: list[int]) -> None:
    log = AccessLog(mode, clock=lambda: NOW)  # type: ignore[arg-type]
    assert [code for code in (200, 404, 408, 499, 500, 503) if log.wants(code)] == want


def test_many_errors_in_a_second_are_summed_up() -> None:
    now, lines = [NOW], list[str]()
    log = AccessLog("Errors", clock=lambda: now[0], write=lines.append)
    entry = Entry("POST", "/predict", 503, 0.1, "a", None, None)
    for _ in range(ERROR_LINES + 30):
        log.add(entry)
    now[0] += 1
    log.add(entry)
    log.add(entry)
    assert len(lines) == ERROR_LINES + 2
    assert [json.loads(line).get("suppressed") for line in lines[-3:]] == [None, 30, None]


@pytest.mark.parametrize("final", [CLIENT_CLOSED, None])
async def test_a_request_whose_client_left_is_not_an_error_of_the_server(final: int | None) -> None:
    """The connection marks it in the scope; without the mark, the code is that of the response."""
    metrics, lines = Metrics(), list[str]()

    async def leave(request: Request) -> Response:
        """Respond, maybe to nobody."""
        if final is not None:
            request.scope[FINAL_CODE] = final
        return PlainTextResponse("late")

    inner = Starlette(routes=[Route("/predict", leave, methods=["POST"])])

    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        """Mark the scope of the connection."""
        if final is not None:
            scope[FINAL_CODE] = final
        await inner(scope, receive, send)

    stack = traffic_app(
        app,
        metrics=metrics,
        lifecycle=Lifecycle(),
        log=AccessLog("Errors", clock=lambda: NOW, write=lines.append),
        large=LargeBodies(),
        is_overloaded=lambda: False,
    )
    async with client(stack) as http:
        await http.post("/predict", content=b"{}")
    want = str(final or 200)
    assert (
        metrics.registry.get_sample_value("perennate_serving_requests_total", {"endpoint": "predict", "code": want})
        == 1
    )
    assert [json.loads(line)["status"] for line in lines] == ([CLIENT_CLOSED] if final else [])


async def test_large_answers_are_compressed_for_clients_that_accept_it(
    rain: Pod, published: Mapping[str, Published]
) -> None:
    body = json.dumps({"records": published["rain"].records(200)}).encode()
    json_type = {"content-type": "application/json"}
    plain = await rain.traffic.post("/predict", content=body, headers={**json_type, "accept-encoding": "identity"})
    packed = await rain.traffic.post(
        "/predict",
        content=gzip.compress(body),
        headers={**json_type, "content-encoding": "gzip", "accept-encoding": "gzip"},
    )
    small = await rain.traffic.post("/predict", json={"records": published["rain"].records(1)})
    assert packed.json()["predictions"] == plain.json()["predictions"]
    assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert ("content-encoding" in plain.headers, plain.headers["vary"]) == (False, "Accept-Encoding")
    assert "content-encoding" not in small.headers


@pytest.mark.parametrize(
    ("header", "accepted"),
    {
        "gzip": True,
        "deflate, GZIP;q=0.5": True,
        "gzip; q=1.0, br": True,
        "gzip;q=0": False,
        "gzip; q = 0.000, deflate": False,
        "br, deflate": False,
        "identity": False,
        "": False,
    }.items(),
)
def test_which_clients_accept_gzip(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type, traceparent"}


async def test_pages_of_allowed_origins_may_call_the_pod(models: Mapping[str, ServedModel]) -> None:
    """Others may not; errors can be read by the page too."""
    async with running_pod(models["rain"], HttpConfig(allowed_origins=(ORIGIN,))) as pod:
        preflight = await pod.traffic.options("/predict", headers={"Origin": ORIGIN, **PREFLIGHT})
        refused = await pod.traffic.post("/predict", content=b"[", headers={"Origin": ORIGIN})
        foreign = await pod.traffic.options("/predict", headers={"Origin": "https://evil.example", **PREFLIGHT})
        other = await pod.traffic.get("/v2", headers={"Origin": f"{ORIGIN}.evil.example"})
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (HTTPStatus.OK, ORIGIN)
    assert "traceparent" in preflight.headers["access-control-allow-headers"]
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (HTTPStatus.BAD_REQUEST, ORIGIN)
    assert "x-prediction-id" in refused.headers["access-control-expose-headers"]
    assert foreign.status_code == HTTPStatus.BAD_REQUEST
    assert "access-control-allow-origin" not in {*foreign.headers, *other.headers}


async def test_all_origins_may_be_allowed(models: Mapping[str, ServedModel]) -> None:
    async with running_pod(models["rain"], HttpConfig(allowed_origins=("*",))) as pod:
        answer = await pod.traffic.get("/v2", headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_without_allowed_origins_there_is_no_cors(rain: Pod) -> None:
    preflight = await rain.traffic.options("/predict", headers={"Origin": ORIGIN, **PREFLIGHT})
    assert preflight.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert "access-control-allow-origin" not in preflight.headers


async def test_a_full_queue_refuses_predictions_before_reading_them(
    models: Mapping[str, ServedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_pod(models["rain"]) as pod:
        monkeypatch.setattr(pod.predictor.lanes._small, "_max_waiting", 0)
        answer = await pod.traffic.post("/predict", content=b"this is not read")
    assert (answer.status_code, answer.headers["retry-after"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "1")
    assert answer.json() == {"error": "too many requests at once; retry later"}
    assert pod.sample("requests_total", endpoint="predict", code="503") == 1
