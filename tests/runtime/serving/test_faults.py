"""Faults of the serving containers end in a one-sentence error and an exit code, or in degraded service."""

from __future__ import annotations

import resource
import socket
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from perennate.api.documents.model_manifest import MANIFEST_FILE
from perennate.api.documents.serving_config import CaptureConfig
from perennate.api.wellknown import EXIT_VERSION_REFUSED
from tests.support.pods.fetching import flip_a_bit
from tests.support.pods.ready import fetched
from tests.support.pods.serving import (
    DEADLINE_SECONDS,
    POLL_SECONDS,
    Published,
    container_environment,
    run_fetch,
    serving,
)

pytestmark = pytest.mark.runtime


@pytest.mark.parametrize("name", ["model.skops", MANIFEST_FILE])
def test_a_damaged_version_is_never_served(name: str, rain: Published, tmp_path: Path) -> None:
    """`serve` verifies the bytes that it loads. The exit code is 13, and the log has file and digests."""
    environment = fetched(rain, tmp_path)
    flip_a_bit(tmp_path / "models" / name)
    with serving(environment) as pod:
        answers = {pod.probe("/readyz")}
        while not pod.ended_within(POLL_SECONDS):
            answers.add(pod.probe("/readyz"))
        sentence = pod.termination_log.read_text()
    assert pod.process.returncode == EXIT_VERSION_REFUSED
    assert answers <= {None, HTTPStatus.SERVICE_UNAVAILABLE}
    assert sentence.startswith("serve: ")
    assert f"{name} has the digest sha256:" in sentence
    assert "expected sha256:" in sentence
    assert "\n" not in sentence


def test_fetch_writes_its_error_to_the_termination_log(rain: Published, tmp_path: Path) -> None:
    """One sentence, also on stderr, without a traceback."""
    environment = container_environment(rain, tmp_path, PERENNATE_STORE_DIR=str(tmp_path / "empty"))
    done = run_fetch(environment)
    assert done.returncode == EXIT_VERSION_REFUSED
    assert done.stderr == f"{(tmp_path / 'termination-log').read_text()}\n"
    assert done.stderr.startswith(f"fetch: version {rain.digest} is not in {tmp_path}/empty/")


def test_fetch_exits_with_1_if_it_cannot_write(rain: Published, tmp_path: Path) -> None:
    """Exit code 13 would mean that the version is unusable."""
    done = run_fetch(container_environment(rain, tmp_path, PERENNATE_MODEL_DIR="/proc/models"))
    assert done.returncode == 1
    assert done.stderr.startswith("fetch: /proc/models cannot be created: ")


def test_the_error_names_a_port_in_use(rain: Published, tmp_path: Path) -> None:
    """Exit code 1 and the port, without a traceback."""
    environment = fetched(rain, tmp_path)
    with (
        socket.create_server(("127.0.0.1", int(environment["PERENNATE_OPERATIONS_PORT"]))),
        serving(environment) as pod,
    ):
        assert pod.process.wait(DEADLINE_SECONDS) == 1
        assert f"port {environment['PERENNATE_OPERATIONS_PORT']} on 127.0.0.1 cannot be bound" in (
            pod.termination_log.read_text()
        )


def test_a_full_disk_loses_captured_rows_but_no_prediction(rain: Published, tmp_path: Path) -> None:
    """The metrics count the lost rows."""
    environment = fetched(
        rain, tmp_path, capture=CaptureConfig(sampling_ratio=1, flush_seconds=0.05, retention_seconds=3600)
    )

    def limit_file_size() -> None:
        """Limit the size of files, so that capture files cannot be written."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))

    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    dropped = 'perennate_serving_capture_dropped_total{kind="rows"}'
    with (
        serving(environment, preexec=limit_file_size, output=Path("/dev/null")) as pod,
        httpx.Client(timeout=60) as client,
    ):
        pod.wait_ready()

        def metrics_count_the_loss() -> bool:
            answer = client.post(f"{pod.url}/predict", json={"records": rain.records(5)})
            assert answer.status_code == HTTPStatus.OK
            return dropped in client.get(f"{pod.operations}/metrics").text

        pod.wait_until(metrics_count_the_loss)
        assert 'perennate_serving_captured_total{kind="rows"}' not in client.get(f"{pod.operations}/metrics").text
        assert pod.stop() == 0
    assert list(Path(environment["PERENNATE_CAPTURE_DIR"]).iterdir()) == []
