"""A version that does not become ready is rejected, and the old version answers all requests meanwhile."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from perennate.api.documents.canonical import short_version
from perennate.api.wellknown import LABEL_VERSION
from tests.support.cluster.cluster_user import (
    SECONDS,
    apply,
    flip_a_bit,
    holds,
    remove_namespace,
    start_loader,
    until,
    write_files,
)
from tools.demo import steps
from tools.demo.cluster import Cluster, condition

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

NAMESPACE = "rejection"
DEADLINE_SECONDS = 10
"""The minimum of spec.progressDeadlineSeconds in seconds."""
ROWS = 10_800
"""Maximum number of rows that the traffic pod sends: 45 per second for four minutes."""


def table(rows: int) -> str:
    """Rows with two features and a target that depends on them."""
    return "a,b,rain\n" + "".join(f"{k % 7},{k % 5},{int(k % 7 > 3)}\n" for k in range(rows))


def run(strength: float) -> dict[str, Any]:
    """The spec of a run. Another strength gives another version."""
    return {
        "model": {"name": "rainfall"},
        "trainer": {"estimator": {"class": "sklearn.linear_model.LogisticRegression", "params": {"C": strength}}},
        "data": {"train": {"uri": "pvc://rainfall-data/train.csv"}, "target": "rain"},
    }


def publish(place: Cluster, name: str, strength: float) -> dict[str, Any]:
    """The version that a run published."""
    apply(place, "TrainingJob", name, run(strength))
    version: dict[str, Any] = until(place, "trainingjob", name, holds("Complete"))["status"]["modelVersion"]
    return version


@pytest.fixture
def place(cluster: Cluster) -> Iterator[Cluster]:
    """A namespace with the operator, and a claim with the rows for training and traffic."""
    steps.install_operator(cluster)
    here = replace(cluster, namespace=NAMESPACE)
    steps.prepare_namespace(here)
    start_loader(here)
    write_files(here, {"train.csv": table(200), "traffic.csv": table(ROWS)})
    yield here
    remove_namespace(cluster, NAMESPACE)


def requests(place: Cluster) -> list[dict[str, Any]]:
    """Every request of the traffic pod so far, from its log."""
    lines = place.kubectl("logs", "job/traffic").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_a_version_that_does_not_become_ready_is_rejected_without_failed_requests(place: Cluster) -> None:
    """The digest is in status.rejected with field and cause.

    The deployment is pinned to the old version until the new one is damaged. Only then does it follow the line, so that
    no pod can have fetched the undamaged bytes.
    """
    old = publish(place, "first", 1.0)
    pinned = {"pinned": {"uri": old["uri"], "digest": old["digest"]}}
    apply(place, "ModelDeployment", "rainfall", {"model": pinned})
    until(place, "modeldeployment", "rainfall", holds("Ready"))
    new = publish(place, "second", 0.001)
    assert new["digest"] != old["digest"]
    flip_a_bit(place, "rainfall", new["digest"], "damage")
    steps.start_traffic(place)
    body = {"model": {"track": {"name": "rainfall"}}, "progressDeadlineSeconds": DEADLINE_SECONDS}
    apply(place, "ModelDeployment", "rainfall", body)

    seen = until(place, "modeldeployment", "rainfall", lambda found: bool(found["status"].get("rejected")))
    (rejected,) = seen["status"]["rejected"]
    assert rejected["digest"] == new["digest"]
    assert "spec.model.track.name: container fetch" in rejected["message"], rejected
    assert "model.skops has the digest sha256:" in rejected["message"], rejected

    seen = until(
        place,
        "modeldeployment",
        "rainfall",
        lambda found: condition(found, "Progressing")["reason"] == "VersionRejected",
    )
    assert condition(seen, "Ready")["status"] == "True"
    revisions = {seen["status"][name]["digest"] for name in ("currentRevision", "stableRevision")}
    assert revisions == {old["digest"]}
    (pod,) = place.get("pods", "--selector", f"{LABEL_VERSION}={short_version(old['digest'])}")["items"]
    assert sum(status["restartCount"] for status in pod["status"]["containerStatuses"]) == 0

    over = datetime.fromisoformat(rejected["time"]).timestamp() + DEADLINE_SECONDS
    polls = place.wait_for("modeldeployment", "rainfall", seconds=SECONDS)
    sent = next(lines for lines in (requests(place) for _ in polls) if lines and lines[-1]["time"] > over)
    assert [line for line in sent if line["status"] != 200] == []
    assert {line["version"] for line in sent} == {old["digest"]}
    assert sent[0]["time"] < over - 2 * DEADLINE_SECONDS, "requests were sent until the end"
