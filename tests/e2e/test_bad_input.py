"""Invalid input on real pods: a condition names field and cause, other runs are not affected, and a repair works."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perennate.api.documents.model_manifest import version_uri
from tests.support.cluster.cluster_user import (
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

NAMESPACE = "bad-input"
ROWS = "".join(f"{k % 7},{k % 5},{int(k % 7 > 3)}\n" for k in range(200))
FILES = {
    "good.csv": f"a,b,y\n{ROWS}",
    "empty.csv": "",
    "text.csv": "This is a letter, not a table.\nIt has two lines, and, here, more commas.\n",
}
CLASS = "sklearn.linear_model.LogisticRegression"


def spec(
    *, file: str = "good.csv", target: str = "y", estimator: dict[str, Any] | None = None, gates: Any = ()
) -> dict[str, Any]:
    """The spec of a run on one of FILES. Valid unless changed."""
    return {
        "model": {"name": "model"},
        "trainer": {"estimator": estimator or {"class": CLASS}},
        "data": {"train": {"uri": f"pvc://rainfall-data/{file}"}, "target": target},
        "evaluation": {"gates": list(gates)},
        "backoffLimit": 2,
    }


INVALID = {
    "missing-file": (spec(file="nothing.csv"), "DataRefused", ("spec.data.train.uri", "nothing.csv")),
    "empty-file": (spec(file="empty.csv"), "DataRefused", ("spec.data.train.uri", "empty")),
    "no-csv": (
        spec(file="text.csv"),
        "DataRefused",
        ("spec.data.train.uri", "cannot be read as csv", "a row has 4 instead of 2 fields"),
    ),
    # The kubelet must pass on names that look like references to variables.
    "dollar-signs": (spec(target="$(HOME)$$"), "DataRefused", ("spec.data.target", "$(HOME)$$")),
    "no-target": (spec(target="snow"), "DataRefused", ("spec.data.target", "snow")),
    "unknown-estimator": (
        spec(estimator={"class": "sklearn.linear_model.LogisticRegresion"}),
        "BadConfiguration",
        ("spec.trainer.estimator.class", "LogisticRegresion"),
    ),
    "estimator-outside-the-list": (
        spec(estimator={"class": "sklearn.neighbors.KNeighborsClassifier"}),
        "BadConfiguration",
        ("spec.trainer.estimator.class", "KNeighborsClassifier"),
    ),
    "unknown-parameter": (
        spec(estimator={"class": CLASS, "params": {"strength": 2}}),
        "BadConfiguration",
        ("spec.trainer.estimator.params.strength",),
    ),
    "gate": (spec(gates=[{"metric": "auc", "min": 1.5}]), "GateFailed", ("auc",)),
}
"""Name of a TrainingJob -> its spec, the expected reason of Failed, and parts of the message."""


@pytest.fixture(scope="module")
def place(cluster: Cluster) -> Iterator[Cluster]:
    """A namespace with the operator and FILES in a claim. Every invalid run and a valid one are created at once."""
    steps.install_operator(cluster)
    here = replace(cluster, namespace=NAMESPACE)
    steps.prepare_namespace(here)
    start_loader(here)
    write_files(here, FILES)
    for name, (body, _, _) in INVALID.items():
        apply(here, "TrainingJob", name, body)
    apply(here, "TrainingJob", "good", spec())
    yield here
    remove_namespace(cluster, NAMESPACE)


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_run_fails_once_with_field_and_cause(place: Cluster, name: str) -> None:
    """Only one of three allowed pods runs, because a retry would fail again."""
    _, reason, words = INVALID[name]
    job = until(place, "trainingjob", name, holds("Failed"))
    failed = condition(job, "Failed")
    assert failed["reason"] == reason, failed
    assert [word for word in words if word not in failed["message"]] == [], failed["message"]
    pods = place.get("pods", "--selector", f"perennate.dev/training-job={name}")["items"]
    assert [sum(s["restartCount"] for s in pod["status"]["initContainerStatuses"]) for pod in pods] == [0]


def test_a_recreated_run_succeeds_after_its_data_are_repaired(place: Cluster) -> None:
    """The new run has the same name."""
    runs = {"again-missing": "late.csv", "again-bad": "bad.csv"}
    write_files(place, {"bad.csv": FILES["text.csv"]})
    for name, file in runs.items():
        apply(place, "TrainingJob", name, spec(file=file))
    for name, file in runs.items():
        failed = condition(until(place, "trainingjob", name, holds("Failed")), "Failed")
        assert failed["reason"] == "DataRefused", failed
        write_files(place, {file: FILES["good.csv"]})
        place.kubectl("delete", f"trainingjob/{name}")
        apply(place, "TrainingJob", name, spec(file=file))
    for name in runs:
        until(place, "trainingjob", name, holds("Complete"))


def test_a_valid_run_is_not_affected_by_invalid_ones(place: Cluster) -> None:
    job = until(place, "trainingjob", "good", holds("Complete"))
    assert job["status"]["modelVersion"]["digest"].startswith("sha256:")


def test_a_run_waits_for_a_missing_champion(place: Cluster) -> None:
    """The condition names the field of the missing ModelDeployment. The run starts when it exists."""
    body = spec() | {"evaluation": {"champion": {"deployment": "later", "metric": "auc"}}}
    apply(place, "TrainingJob", "waiting", body)
    job = until(place, "trainingjob", "waiting", lambda seen: "later" in seen.get("status", {}).get("summary", ""))
    assert "spec.evaluation.champion.deployment" in job["status"]["summary"]
    apply(place, "ModelDeployment", "later", {"model": {"track": {"name": "nothing"}}})
    until(place, "trainingjob", "waiting", lambda seen: "jobRef" in seen["status"])
    place.kubectl("delete", "trainingjob/waiting", "modeldeployment/later")


def test_a_damaged_version_is_served_only_after_its_repair(place: Cluster) -> None:
    """With one flipped bit, no pod becomes ready and the condition names field and file."""
    version = until(place, "trainingjob", "good", holds("Complete"))["status"]["modelVersion"]
    flip_a_bit(place, "model", version["digest"], "damage")
    pinned = {"uri": version["uri"], "digest": version["digest"]}
    apply(place, "ModelDeployment", "served", {"model": {"pinned": pinned}})
    seen = until(place, "modeldeployment", "served", holds("ModelLoaded", "False"))
    for type_ in ("ModelLoaded", "Ready"):
        message = condition(seen, type_)["message"]
        assert message.startswith("spec.model.pinned: container fetch of pod served-"), message
        assert "model.skops has the digest sha256:" in message
    assert seen["status"].get("readyReplicas", 0) == 0
    flip_a_bit(place, "model", version["digest"], "repair")
    until(place, "modeldeployment", "served", holds("Ready"))


def test_ready_names_the_field_of_a_missing_version(place: Cluster) -> None:
    """Ready also has the digest. No pod becomes ready."""
    digest = "sha256:" + "0" * 64
    pinned = {"uri": version_uri("model", digest), "digest": digest}
    apply(place, "ModelDeployment", "absent", {"model": {"pinned": pinned}})
    seen = until(place, "modeldeployment", "absent", holds("ModelLoaded", "False"))
    message = condition(seen, "Ready")["message"]
    assert message.startswith("spec.model.pinned: container fetch of pod absent-"), message
    assert f"version {digest} is not in /store/" in message
    place.kubectl("delete", "modeldeployment/absent")
