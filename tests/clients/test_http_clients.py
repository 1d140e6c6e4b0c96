"""Common HTTP clients with their defaults: Java's HttpClient and curl, which offer an upgrade to HTTP/2.

They come with the operating system: Debian's packages openjdk-17-jdk-headless and curl.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pods.serving import (
    Published,
    ServingProcess,
    container_environment,
    publish_rain,
    run_fetch,
    serving,
)

PROGRAM = Path(__file__).parent / "Predict.java"
JSON_TYPE = "content-type: application/json"


@pytest.fixture(scope="module")
def rain(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A version in a store."""
    return publish_rain(tmp_path_factory.mktemp("rain") / "store")


@pytest.fixture(scope="module")
def pod(rain: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingProcess]:
    """A ready pod."""
    environment = container_environment(rain, tmp_path_factory.mktemp("pod"))
    run_fetch(environment).check_returncode()
    with serving(environment) as process:
        process.wait_ready()
        yield process


@pytest.fixture
def body(rain: Published) -> str:
    """A request of two rows."""
    return json.dumps({"records": rain.records(2)})


def run(*command: str) -> str:
    """The output of a program."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


def test_java(pod: ServingProcess, body: str) -> None:
    """The second request is sent on the connection of the first."""
    lines = run("java", str(PROGRAM), f"{pod.url}/predict", body).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["200", "200"]
    assert [len(json.loads(line.partition(" ")[2])["predictions"]) for line in lines] == [2, 2]


@pytest.mark.parametrize("option", ["--http2", "--http1.1", "--http1.0", "--compressed"])
def test_curl(pod: ServingProcess, body: str, option: str) -> None:
    answer = run("curl", "-sS", "--fail-with-body", option, "-H", JSON_TYPE, "-d", body, f"{pod.url}/predict")
    assert len(json.loads(answer)["predictions"]) == 2


def test_curl_waits_for_permission_to_send_a_large_body(pod: ServingProcess, body: str) -> None:
    """With `Expect: 100-continue`; a response that refuses the body arrives before it."""
    command = ["curl", "-sS", "-H", JSON_TYPE, "-H", "Expect: 100-continue", "-d", body]
    assert len(json.loads(run(*command, f"{pod.url}/predict"))["predictions"]) == 2
    assert json.loads(run(*command, "-H", "content-encoding: br", f"{pod.url}/predict")).keys() == {"error"}
