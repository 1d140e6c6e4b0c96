"""The operations port and the lifecycle of a pod."""

from __future__ import annotations

import gzip
from http import HTTPStatus

import orjson

from perennate.api.documents.canonical import digest_bytes
from perennate.serving.http.operations import Operations
from perennate.serving.lifecycle import Lifecycle, Phase
from perennate.serving.metrics import Metrics
from tests.support.pods.serving_pod import Pod, client


async def test_a_pod_without_a_model_is_alive_but_not_ready() -> None:
    """The kubelet can probe from the start, before there are counts and a profile."""
    async with client(Operations(Lifecycle(), Metrics()).app) as probes:
        found = {
            path: (await probes.get(path)).status_code
            for path in ("/livez", "/readyz", "/metrics", "/counts", "/profile")
        }
    assert found == {
        "/livez": HTTPStatus.OK,
        "/readyz": HTTPStatus.SERVICE_UNAVAILABLE,
        "/metrics": HTTPStatus.OK,
        "/counts": HTTPStatus.SERVICE_UNAVAILABLE,
        "/profile": HTTPStatus.SERVICE_UNAVAILABLE,
    }


async def test_a_draining_pod_is_not_ready_and_closes_connections(rain: Pod) -> None:
    """It still responds, but each response closes the connection, so that clients move to other pods."""
    assert (await rain.operations.get("/readyz")).status_code == HTTPStatus.OK
    assert "connection" not in (await rain.traffic.get("/v2/health/ready")).headers
    rain.lifecycle.drain()
    assert (await rain.operations.get("/readyz")).text == "shutting down\n"
    assert (await rain.operations.get("/livez")).status_code == HTTPStatus.OK
    response = await rain.traffic.get("/v2/health/ready")
    assert (response.status_code, response.headers["connection"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "close")


def test_a_draining_pod_does_not_become_ready_again() -> None:
    """This holds if the model finishes loading after SIGTERM."""
    lifecycle = Lifecycle()
    lifecycle.drain()
    lifecycle.become_ready()
    assert lifecycle.phase is Phase.DRAINING


async def test_counts_are_compressed_only_on_request(rain: Pod) -> None:
    """The operator requests plain bytes; other clients may request gzip."""
    plain = await rain.operations.get("/counts", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert orjson.loads(plain.content)["schema"] == "perennate.dev/counts/v1"
    async with rain.operations.stream("GET", "/counts", headers={"accept-encoding": "gzip"}) as response:
        assert response.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join([part async for part in response.aiter_raw()])) == plain.content


async def test_the_profile_is_returned_byte_for_byte(rain: Pod) -> None:
    """The operator compares its digest with that in the counts document."""
    content = (await rain.operations.get("/profile")).content
    assert digest_bytes(content) == (await rain.operations.get("/counts")).json()["profileDigest"]


async def test_metrics_of_requests_and_process(rain: Pod) -> None:
    """Request counters, a histogram of durations, and metrics of the process."""
    await rain.traffic.post("/predict", json={"records": [{"TEMP": 1, "DEW POINT": 2, "pressure": 3}]})
    text = (await rain.operations.get("/metrics")).text
    assert 'perennate_serving_requests_total{code="200",endpoint="predict"} 1.0' in text
    assert 'perennate_serving_request_duration_seconds_count{endpoint="predict"} 1.0' in text
    assert "process_resident_memory_bytes" in text
