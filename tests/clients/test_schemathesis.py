"""schemathesis sends requests that it derives from `/docs.json`, and checks each response against the document.

Requests and their order are the same in every run.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx
import pytest

from tests.support.pods.serving import DEADLINE_SECONDS, Published, ServingProcess
from tools.locked_environment import LockedEnvironment

pytestmark = pytest.mark.runtime

ENVIRONMENT = LockedEnvironment("schemathesis", Path(__file__).parent / "schemathesis.txt")
OPTIONS = (
    "--phases=examples,coverage,fuzzing",
    "--checks=all",
    # A schema has the types of values, but not which numbers and categories the model accepts.
    "--exclude-checks=positive_data_acceptance",
    # These are routes of the operations port.
    "--exclude-path-regex=^/(metrics|counts|profile)$",
    "--continue-on-failure",
    "--generation-deterministic",
    "--max-examples=40",
    "--no-color",
)


def test_every_response_is_documented(served: tuple[Published, ServingProcess], tmp_path: Path) -> None:
    """Statuses, media types and bodies; invalid requests are refused, and no request causes a server error."""
    _, pod = served
    program = (str(ENVIRONMENT.python()), "-m", "schemathesis.cli")
    command = [*program, "run", f"{pod.url}/docs.json", "--url", pod.url, *OPTIONS]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=2 * DEADLINE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout
    metrics = httpx.get(f"{pod.operations}/metrics").text
    answered = [line for line in metrics.splitlines() if line.startswith("perennate_serving_requests_total{")]
    assert {line.split('code="')[1][0] for line in answered} == {"2", "4"}, answered
