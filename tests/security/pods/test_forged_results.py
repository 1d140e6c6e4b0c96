"""Termination messages that a hostile container writes, or makes another one write: none counts as a published version.

The message of `train` may be any text, because `train` may be a user's container. The messages of `prepare` and
`publish` are those of our stages, unless a container took one of them over; so they must agree.
"""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.documents.canonical import digest_document
from tests.support.reconcilers.training_job import conditions_of, message_of, started, status_of
from tests.support.world.cluster_controllers import job_fails, only_job, run_pod
from tests.support.world.objects import (
    FINGERPRINT,
    Document,
    at,
    condition,
    digest_of,
    ended,
    model_deployment,
    model_version,
    publish_result,
    running,
    stage_pod,
    stage_result,
)
from tests.support.world.world import World

GATE = {"metric": "auc", "min": 0.8}
OWN_CONTAINER = {"container": {"image": "own:1"}}
CHAMPION = {"champion": {"deployment": "m", "metric": "auc"}}
OTHER = digest_document("another record")


def completed(prepare: str, publish: str, **spec: Any) -> World:
    """A run whose Job is complete, with these termination messages."""
    world = started(spec=spec)
    end(world, prepare, publish)
    return world


def end(world: World, prepare: str, publish: str) -> None:
    """Let the pod of the run end with these termination messages, and complete its Job."""
    ends = (ended("prepare", 0, prepare), ended("train"), ended("publish", 0, publish))
    run_pod(world, stage_pod(*ends, phase="Succeeded"))
    job = only_job(world)
    job["status"] = {"conditions": [condition("Complete")], "completionTime": at(-5)}
    world.put(job)
    world.settle("TrainingJob", "t")


def taken_from_results(world: World) -> Document:
    """The fields of the status that come from results of stages."""
    names = ("modelVersion", "metrics", "gates", "champion", "fingerprint", "provenance")
    return {name: value for name in names if (value := status_of(world).get(name))}


def prepared(**fields: Any) -> str:
    """The termination message of an honest prepare stage."""
    return stage_result("prepare", **{"fingerprint": FINGERPRINT, **fields})


def gate(**fields: Any) -> Document:
    """The result of the gate of the spec."""
    return {**GATE, "value": 0.9, "passed": True, **fields}


PASSED: dict[str, Any] = {"gates": [gate()]}
FORGED: dict[str, tuple[str, str, str]] = {
    "another fingerprint": (prepared(), publish_result(**PASSED, fingerprint=OTHER), "that of prepare is"),
    "no fingerprint of publish": (prepared(), publish_result(**PASSED, fingerprint=None), "that of prepare is"),
    "no fingerprint of prepare": (prepared(fingerprint=None), publish_result(**PASSED), "prepare reported no"),
    "no result of prepare": ("", publish_result(**PASSED), "prepare reported no"),
    "a result of prepare that names another stage": (
        stage_result("train", fingerprint=FINGERPRINT),
        publish_result(**PASSED),
        "prepare reported no",
    ),
    "another model line": (
        prepared(),
        publish_result(**PASSED, modelVersion=model_version("v1", model="fraud")),
        'spec.model.name is "rain"',
    ),
    "the digest of another version": (
        prepared(),
        publish_result(**PASSED, modelVersion={**model_version("v1"), "digest": digest_of("v2")}),
        "does not have the digest",
    ),
    "the location of another line": (
        prepared(),
        publish_result(
            **PASSED, modelVersion={**model_version("v1"), "uri": model_version("v1", model="fraud")["uri"]}
        ),
        "does not have the digest",
    ),
    "no gates": (prepared(), publish_result(), "does not report that the gate auc passed"),
    "a gate of another metric": (
        prepared(),
        publish_result(gates=[gate(metric="accuracy")]),
        "does not report that the gate auc passed",
    ),
    "the gate on the rows of an anchor in place of the hold-out rows": (
        prepared(),
        publish_result(gates=[gate(source="Anchor")]),
        "does not report that the gate auc passed",
    ),
    "a failed gate": (
        prepared(),
        publish_result(gates=[gate(value=0.2, passed=False)]),
        "does not report that the gate auc passed",
    ),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_result_that_contradicts_the_run_is_no_published_version(case: str) -> None:
    """The run fails with a reason of its own, and no field of the status is taken from the result."""
    prepare, publish, message = FORGED[case]
    world = completed(prepare, publish, evaluation={"gates": [GATE]})
    assert conditions_of(world)["Failed"] == ("True", "ResultRefused")
    assert conditions_of(world)["Complete"] == ("False", "ResultRefused")
    assert conditions_of(world)["GatesPassed"][0] == "Unknown"
    assert message in message_of(world, "Failed")
    assert taken_from_results(world) == {}
    assert len(world.of_kind("Job")) == 1


@pytest.mark.parametrize("champion", [None, {"metric": "auc", "champion": 0.9, "challenger": 0.1, "passed": False}])
def test_a_version_without_the_comparison_with_the_champion_is_refused(champion: Document | None) -> None:
    world = started(spec={"evaluation": CHAMPION})
    world.put(model_deployment())
    world.settle("TrainingJob", "t")
    fields: dict[str, Any] = {} if champion is None else {"champion": champion}
    publish = publish_result(**fields)
    end(world, prepared(), publish)
    assert conditions_of(world)["Failed"] == ("True", "ResultRefused")


@pytest.mark.parametrize("gates", [[], [gate()], [gate(source="Anchor", passed=False)]])
def test_a_version_without_the_comparison_on_the_anchor_is_refused(gates: list[Document]) -> None:
    anchor = {"uri": "pvc://rows/anchor.csv", "metric": "auc", "maxLoss": 0.1}
    world = started(spec={"data": {"captured": {"modelDeployment": "m", "anchor": anchor}}})
    world.put(model_deployment())
    world.settle("TrainingJob", "t")
    end(world, prepared(), publish_result(gates=gates))
    assert conditions_of(world)["Failed"] == ("True", "ResultRefused")
    assert "on the anchor" in message_of(world, "Failed")


def test_an_honest_result_with_gates_is_published() -> None:
    world = completed(prepared(), publish_result(**PASSED), evaluation={"gates": [GATE]})
    assert conditions_of(world)["Complete"] == ("True", "VersionPublished")
    assert status_of(world)["modelVersion"] == model_version("v1")


@pytest.mark.parametrize("code", [10, 11, 12])
@pytest.mark.parametrize("gone", [False, True], ids=["", "its pod is gone"])
def test_a_users_container_judges_neither_data_nor_gates(code: int, *, gone: bool) -> None:
    """Its exit code ends the run without a retry, but a DriftPolicy must not count a lost comparison for it."""
    world = started(spec={"trainer": OWN_CONTAINER})
    error = {"reason": "GateInconclusive", "message": "too few rows"}
    numbers = {"metrics": [{"name": "auc", "value": 1.0}], "gates": [gate()], "provenance": {"rows": 7}}
    job_fails(world, "train", code, stage_result("train", error=error, fingerprint=OTHER, **numbers))
    if gone:
        world.delete("Pod", "run-1")
    world.settle("TrainingJob", "t")
    assert conditions_of(world)["Failed"] == ("True", "BadConfiguration")
    assert conditions_of(world)["DataValidated"][0] != "False"
    assert conditions_of(world)["GatesPassed"][0] == "Unknown"
    assert taken_from_results(world) == {}


@pytest.mark.parametrize(("trainer", "shown"), [(OWN_CONTAINER, 0), (None, 1)], ids=["own container", "estimator"])
def test_warnings_of_a_users_container_are_no_warnings_of_a_stage(trainer: Document | None, shown: int) -> None:
    """It could write Events and fill the list, so that warnings of publish have no place."""
    world = started(spec={"trainer": trainer} if trainer else {})
    warning = {"reason": "NotConverged", "message": "forged"}
    message = stage_result("train", warnings=[warning] * 16)
    run_pod(world, stage_pod(ended("prepare", 0, prepared()), ended("train", 0, message), running("publish")))
    plans = world.settle("TrainingJob", "t")
    assert len(status_of(world).get("warnings", [])) == shown
    assert [event.reason for plan in plans for event in plan.events].count("NotConverged") == shown


def test_the_log_of_a_killed_publish_stage_is_no_result() -> None:
    """The end of its log, which may hold names of columns, becomes its message only if it failed without one."""
    world = started(spec={"evaluation": {"gates": [GATE]}})
    job_fails(world, "publish", 137, publish_result(**PASSED), reason="BackoffLimitExceeded")
    world.settle("TrainingJob", "t")
    assert conditions_of(world)["Failed"] == ("True", "BackoffLimitExceeded")
    assert "modelVersion" not in status_of(world)
