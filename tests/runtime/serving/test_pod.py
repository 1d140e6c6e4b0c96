"""The serving container as a process, with a real model, ports and signals."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pandas as pd
import pytest

from perennate.api.documents.canonical import canonical_json, digest_bytes
from perennate.api.documents.serving_config import CaptureConfig, FeedbackConfig
from perennate.drift import Profile, validate_counts
from tests.support.pods.ready import fetched, ready
from tests.support.pods.serving import (
    DEADLINE_SECONDS,
    Published,
    ServingProcess,
    container_environment,
    publish_rain,
    run_fetch,
    serving,
)

pytestmark = pytest.mark.runtime

JSON_TYPE = {"content-type": "application/json"}
CAPTURE = CaptureConfig(sampling_ratio=1, flush_seconds=0.2, retention_seconds=3600)


@pytest.fixture(scope="module")
def environment(rain: Published, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a pod with capture, after its init container has run."""
    return fetched(rain, tmp_path_factory.mktemp("pod"), capture=CAPTURE)


@pytest.fixture(scope="module")
def pod(environment: dict[str, str]) -> Iterator[ServingProcess]:
    """A ready pod, which tests share."""
    with ready(environment) as process:
        yield process


def test_a_prediction_can_be_labelled_counted_captured_and_read_for_training(
    rain: Published, environment: dict[str, str], pod: ServingProcess
) -> None:
    records, labels = rain.records(100), rain.labels[:100]
    ids: list[str] = []
    with httpx.Client(timeout=60) as client:
        for start in range(0, 100, 20):
            answer = client.post(f"{pod.url}/predict", json={"records": records[start : start + 20]})
            assert answer.status_code == HTTPStatus.OK, answer.text
            ids += answer.json()["ids"]
        sent = [{"id": text, "label": label} for text, label in zip(ids, labels, strict=True)]
        assert client.post(f"{pod.url}/feedback", json=sent).json()["counted"] == 100
        profile = client.get(f"{pod.operations}/profile").content
        document = client.get(f"{pod.operations}/counts").json()
    assert digest_bytes(profile) == rain.manifest.profile_digest
    assert validate_counts(document, Profile.from_bytes(profile)).rows >= 100
    assert document["version"] == rain.digest
    assert sum(map(sum, document["labels"].values())) == 100

    folder = Path(environment["PERENNATE_CAPTURE_DIR"])
    pod.wait_until(lambda: all(set(ids) <= set(captured(folder, kind).index) for kind in ("rows", "labels")))
    rows, truth = captured(folder, "rows").loc[ids], captured(folder, "labels").loc[ids]
    pd.testing.assert_frame_equal(rows[list(records[0])].reset_index(drop=True), pd.DataFrame(records))
    assert truth["perennate.label"].tolist() == labels


def test_pods_that_start_together_accept_the_labels_of_each_other(rain: Published, tmp_path: Path) -> None:
    """Pods of a line share its key, whichever creates it; so ids stay valid over restarts and rollouts."""
    store = tmp_path / "store"
    version = publish_rain(store)
    assert version.digest == rain.digest
    environments = [container_environment(version, tmp_path / name) for name in ("a", "b")]
    fetching = [
        subprocess.Popen([sys.executable, "-m", "perennate.serving", "fetch"], env=variables)
        for variables in environments
    ]
    assert [process.wait(DEADLINE_SECONDS) for process in fetching] == [0, 0]
    with serving(environments[0]) as first, serving(environments[1]) as second:
        first.wait_ready()
        second.wait_ready()
        ids = httpx.post(f"{first.url}/predict", json={"records": version.records(5)}, timeout=60).json()["ids"]
        assert first.stop() == 0
        sent = [{"id": text, "label": 1} for text in ids]
        assert httpx.post(f"{second.url}/feedback", json=sent, timeout=60).json()["counted"] == 5
    assert run_fetch(environments[0]).returncode == 0
    with serving(environments[0]) as restarted:
        restarted.wait_ready()
        assert httpx.post(f"{restarted.url}/feedback", json=sent, timeout=60).json()["counted"] == 5


def test_a_pod_whose_token_is_missing_says_which_secret_it_needs(rain: Published, tmp_path: Path) -> None:
    """The operator shows the termination message in the status of the ModelDeployment."""
    environment = fetched(rain, tmp_path)
    config = rain.config().model_copy(update={"feedback": FeedbackConfig(secret="labels", key="t")})  # noqa: S106
    environment["PERENNATE_SERVING"] = canonical_json(config.to_document()).decode()
    with serving(environment) as pod:
        assert pod.process.wait(DEADLINE_SECONDS) == 1
        assert pod.termination_log.read_text().startswith(
            'serve: spec.feedback.tokenSecretRef: Secret "labels" does not exist in this namespace, or its key "t"'
        )


def test_sigterm_during_loading_ends_the_pod(rain: Published, tmp_path: Path) -> None:
    """Before SIGTERM, the pod is live but not ready."""
    environment = fetched(rain, tmp_path)
    with serving(environment) as pod:
        pod.wait_until(lambda: pod.probe("/livez") == HTTPStatus.OK)
        assert pod.stop() == 0, pod.log()
    with socket.create_server(("127.0.0.1", int(environment["PERENNATE_OPERATIONS_PORT"]))):
        pass


def test_sigterm_loses_no_request(rain: Published, tmp_path: Path) -> None:
    """Requests in flight at SIGTERM are answered, and captured rows reach the store.

    One client has sent half of a body, which the pod still reads. Four clients send requests on keep-alive connections;
    each gets `Connection: close` and all its responses.
    """
    slow_flush = CAPTURE.model_copy(update={"flush_seconds": 3600.0})
    environment = fetched(rain, tmp_path, capture=slow_flush, POD_NAME="pod-2")
    with serving(environment) as pod:
        pod.wait_ready()
        half = HalfSent(pod.url, {"records": rain.records(10)})
        clients = [KeepingClient(pod.url, {"records": rain.records(2)}) for _ in range(4)]
        pod.wait_until(lambda: all(client.answered > 5 for client in clients))
        pod.process.send_signal(signal.SIGTERM)
        pod.wait_until(lambda: not pod.is_ready())
        pod.wait_until(lambda: refuses(pod.url))
        assert pod.process.poll() is None, "the pod must wait for the open request"
        assert half.finish() == (HTTPStatus.OK, "close", 10)
        assert pod.process.wait(DEADLINE_SECONDS) == 0, pod.log()
    for client in clients:
        client.join(DEADLINE_SECONDS)
        assert client.lost is None
    rows = captured(Path(environment["PERENNATE_CAPTURE_DIR"]), "rows", pod="pod-2")
    assert len(rows) == 10 + sum(2 * client.answered for client in clients)


def test_a_large_body_is_rejected_without_being_buffered(pod: ServingProcess) -> None:
    """The status is 413 for 100 MB, and the memory does not grow by the size of the body."""
    before = resident_bytes(pod.process.pid)
    response = httpx.post(f"{pod.url}/predict", content=b" " * 100_000_000, headers=JSON_TYPE, timeout=60)
    assert response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert resident_bytes(pod.process.pid) - before < 40_000_000
    assert pod.is_ready()


def test_probes_succeed_during_large_batches(pod: ServingProcess, rain: Published) -> None:
    """Four clients send the largest batches."""
    body = json.dumps({"records": rain.records(300) * 33}).encode()
    answers: list[int] = []

    def ask() -> None:
        with httpx.Client(timeout=60, headers=JSON_TYPE) as client:
            answers.extend(client.post(f"{pod.url}/predict", content=body).status_code for _ in range(5))

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    probes = []
    while any(client.is_alive() for client in clients):
        probes.append(pod.probe("/readyz"))
    assert set(probes) == {HTTPStatus.OK}
    assert answers == [HTTPStatus.OK] * 20


class HalfSent:
    """A request with half of its body sent."""

    def __init__(self, url: str, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self._rest = body[50:]
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=DEADLINE_SECONDS)
        self._connection.putrequest("POST", "/predict")
        self._connection.putheader("content-type", "application/json")
        self._connection.putheader("content-length", str(len(body)))
        self._connection.endheaders(body[:50])

    def finish(self) -> tuple[int, str | None, int]:
        """Send the rest. Returns the status, the `Connection` header, and the number of predictions."""
        self._connection.send(self._rest)
        response = self._connection.getresponse()
        predictions = json.loads(response.read())["predictions"]
        self._connection.close()
        return response.status, response.getheader("connection"), len(predictions)


class KeepingClient(threading.Thread):
    """Sends requests on one connection until the server closes it."""

    def __init__(self, url: str, document: dict[str, Any]) -> None:
        super().__init__()
        self.answered = 0
        self.lost: Exception | None = None
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=DEADLINE_SECONDS)
        self._body = json.dumps(document).encode()
        self.start()

    def run(self) -> None:
        """Send requests until the server closes the connection."""
        try:
            closed = False
            while not closed:
                self._connection.request("POST", "/predict", self._body, JSON_TYPE)
                response = self._connection.getresponse()
                assert response.status == HTTPStatus.OK, response.read()
                assert response.read()
                closed = response.getheader("connection") == "close"
                self.answered += 1
        # Any error here means that the pod lost a request.
        except Exception as error:
            self.lost = error
        finally:
            self._connection.close()


def captured(folder: Path, kind: str, *, pod: str = "pod-1") -> pd.DataFrame:
    """All captured rows or labels of a pod by prediction id. Each id occurs once."""
    frames = [pd.read_parquet(path) for path in sorted(folder.glob(f"{kind}-{pod}-*.parquet"))]
    table = (pd.concat(frames) if frames else pd.DataFrame({"perennate.id": []})).set_index("perennate.id")
    assert table.index.is_unique
    return table


def refuses(url: str) -> bool:
    """Whether the port accepts no new connection."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=5):
            return False
    except OSError:
        return True


def resident_bytes(pid: int) -> int:
    """The resident memory of a process in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
