"""BentoML's own clients, which read `/schema.json`: the synchronous and the asynchronous one."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.support.pods.serving import DEADLINE_SECONDS, Published, ServingProcess
from tests.support.tree import ROOT

pytestmark = pytest.mark.runtime


def ask(pod: ServingProcess, requests: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The answers to lists of records."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.clients.with_bentoml", pod.url],
        input=json.dumps(requests),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def test_clients_predict_and_show_errors(served: tuple[Published, ServingProcess]) -> None:
    """They know the method and its argument, send null for a missing value, and pass on the reason of a refusal."""
    version, pod = served
    records = version.records(200)
    assert any(None in record.values() for record in records) is (version.model == "gaps")
    name = next(iter(records[0]))
    answer, refusal = ask(pod, [records, [{**records[0], name: "x"}]])
    assert answer["predictions"] == version.estimator.predict(version.rows[:200]).tolist()
    assert len(answer["ids"]) == 200
    assert refusal["type"] == "UnprocessableEntity"
    assert f"records[0].{name}: got a string; expected a number" in refusal["error"]
