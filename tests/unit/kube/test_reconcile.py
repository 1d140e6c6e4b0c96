"""Passes that workers take from the queue, under a simulated clock: failures are retried, with back-off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from perennate.kube.kind import Registry
from perennate.kube.kinds.registry import REGISTRY
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.resources import Key
from tests.support.cluster import manifests
from tests.support.world import fake_time
from tests.support.world.memory_client import Call
from tests.support.world.shell import Shell

KEY = Key("TrainingJob", "ns", "run")


def test_an_invalid_spec_becomes_a_condition_and_is_not_retried() -> None:
    """An invalid spec becomes a condition that names the field; it is not retried and does not affect other objects."""

    async def scenario() -> None:
        bad = manifests.training_job("bad", "ns", seed="seven")
        shell = Shell(bad, manifests.training_job("good", "ns"))
        await shell.work(1000)
        conditions = {entry["type"]: entry for entry in shell.status("bad")["conditions"]}
        assert any(entry["reason"] == "InvalidSpec" for entry in conditions.values())
        assert "spec.seed" in str(conditions)
        assert shell.status("good")["jobRef"]["name"]
        assert shell.recorder.results.count(("TrainingJob", "done")) <= 4
        assert ("TrainingJob", "failed") not in shell.recorder.results

    fake_time.run(scenario())


def test_a_failed_pass_is_retried_with_back_off_until_it_succeeds() -> None:
    """If the API server is unavailable for a minute, the pass is retried a few times, then the run starts."""

    async def scenario() -> None:
        shell = Shell(manifests.training_job("run", "ns"))

        def away(call: Call) -> None:
            """Fail all requests for Jobs during the first minute."""
            if fake_time.now() < 60 and call[1] == "Job":
                raise ApiError("no answer")

        shell.client.fault = away
        await shell.work(300)
        failures = shell.recorder.results.count(("TrainingJob", "failed"))
        assert 5 <= failures <= 8
        assert shell.status("run")["jobRef"]["name"]

    fake_time.run(scenario())


def test_retry_after_sets_the_minimum_back_off() -> None:

    async def scenario() -> list[float]:
        shell = Shell(manifests.training_job("run", "ns"))
        times: list[float] = []

        def busy(call: Call) -> None:
            """Answer the first request with 429."""
            if call[1] == "Job":
                times.append(fake_time.now())
                if len(times) == 1:
                    raise ApiError("busy", code=429, retry_after=40)

        shell.client.fault = busy
        await shell.work(100)
        return times

    assert fake_time.run(scenario())[:2] == [0, 40]


def test_an_exception_in_decide_does_not_affect_other_objects() -> None:
    """An exception in `decide` is retried with back-off; the worker keeps running and reconciles other objects."""

    async def scenario() -> None:
        def broken(_: object) -> Any:
            """Raise an unexpected exception."""
            raise ZeroDivisionError

        kinds = {**REGISTRY.kinds, "ModelDeployment": replace(REGISTRY.kinds["ModelDeployment"], decide=broken)}
        objects = manifests.training_job("run", "ns"), manifests.model_deployment("serve", "ns")
        shell = Shell(*objects, registry=Registry(kinds.values()))
        await shell.work(30)
        assert shell.recorder.results.count(("ModelDeployment", "failed")) == 5
        assert shell.status("run")["jobRef"]["name"]

    fake_time.run(scenario())


def test_an_object_that_is_being_deleted_is_not_written() -> None:
    """Kubernetes deletes the children with their owner, so a pass writes nothing."""

    async def scenario() -> None:
        going = manifests.training_job("run", "ns")
        going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        shell = Shell(going)
        await shell.work(10)
        assert shell.client.writes == []
        assert shell.recorder.results == [("TrainingJob", "gone")]

    fake_time.run(scenario())


def test_a_pass_over_an_outdated_version_is_repeated_immediately() -> None:
    """A pass over an outdated version creates nothing and is repeated immediately with the current version."""

    async def scenario() -> None:
        shell = Shell(manifests.training_job("run", "ns"))
        seen = shell.client.objects[KEY]
        shell.client.store({**seen, "spec": {**seen["spec"], "suspend": True}})
        await shell.work(10)
        assert shell.recorder.results[0] == ("TrainingJob", "stale")
        assert shell.status("run")["phase"] == "Suspended"

    fake_time.run(scenario())


QUOTA = 'POST jobs: 403 jobs.batch "run" is forbidden: exceeded quota: count, requested: count/jobs.batch=1'
RIGHT = 'POST jobs: 403 jobs.batch is forbidden: User "o" cannot create resource "jobs" in the namespace "ns"'


@pytest.mark.parametrize(("message", "advice"), [(QUOTA, "a quota or a policy"), (RIGHT, "grant this")])
def test_a_forbidden_call_is_reported_in_the_status_until_it_is_allowed(message: str, advice: str) -> None:
    """The status is written once, not at each attempt, and the condition changes when the call succeeds."""

    async def scenario() -> None:
        shell = Shell(manifests.training_job("run", "ns"))
        attempts: list[float] = []

        def refuse(call: Call) -> None:
            """Forbid the Job for a minute."""
            if call[:2] == ("create", "Job") and fake_time.now() < 60:
                attempts.append(fake_time.now())
                raise ApiError(message, code=403)

        shell.client.fault = refuse
        await shell.work(50)
        (condition,) = [entry for entry in shell.status("run")["conditions"] if entry["type"] == "Complete"]
        assert (condition["status"], condition["reason"]) == ("False", "Forbidden")
        assert advice in condition["message"]
        assert message in condition["message"]
        assert len(attempts) > 3
        assert [call[1] for call in shell.client.writes].count("TrainingJob/status") == 1
        assert [call[1] for call in shell.client.writes].count("Event") == 1

    fake_time.run(scenario())


def test_a_pass_succeeds_once_the_call_is_allowed() -> None:

    async def scenario() -> None:
        shell = Shell(manifests.training_job("run", "ns"))

        def refuse(call: Call) -> None:
            """Forbid the Job for a minute."""
            if call[:2] == ("create", "Job") and fake_time.now() < 60:
                raise ApiError(QUOTA, code=403)

        shell.client.fault = refuse
        await shell.work(300)
        assert shell.status("run")["jobRef"]["name"]
        assert "Forbidden" not in str(shell.status("run")["conditions"])

    fake_time.run(scenario())


def test_a_forbidden_status_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Without any right in the namespace there is nowhere else to report it; other objects are not affected."""

    async def scenario() -> None:
        shell = Shell(manifests.training_job("run", "ns"), manifests.model_deployment("serve", "ns"))

        def refuse(call: Call) -> None:
            """Forbid all that is written for the TrainingJob."""
            if call[1] in {"Job", "TrainingJob/status"}:
                raise ApiError(RIGHT, code=403)

        shell.client.fault = refuse
        await shell.work(20)
        assert shell.status("run") == {}
        assert ("ModelDeployment", "done") in shell.recorder.results

    fake_time.run(scenario())
    assert "the status could not be written" in caplog.text
