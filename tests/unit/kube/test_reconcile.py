"""Passes by workers from the queue, under a clock that jumps: failures are retried and reported, nothing spins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from perennate.kube.kind import Registry
from perennate.kube.kinds.registry import REGISTRY
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.resources import Key
from tests.support.cluster import manifests
from tests.support.world import fake_time
from tests.support.world.memory_client import Call
from tests.support.world.shell import Shell

KEY = Key("TrainingJob", "ns", "run")


def test_a_spec_that_cannot_be_read_is_a_condition_and_no_loop() -> None:
    """The message names the field; one pass, no retry, and another object is not disturbed."""

    async def story() -> None:
        bad = manifests.training_job("bad", "ns", seed="seven")
        shell = Shell(bad, manifests.training_job("good", "ns"))
        await shell.work(1000)
        conditions = {entry["type"]: entry for entry in shell.status("bad")["conditions"]}
        assert any(entry["reason"] == "InvalidSpec" for entry in conditions.values())
        assert "spec.seed" in str(conditions)
        assert shell.status("good")["jobRef"]["name"]
        assert shell.recorder.results.count(("TrainingJob", "done")) <= 4
        assert ("TrainingJob", "failed") not in shell.recorder.results

    fake_time.run(story())


def test_a_pass_that_fails_is_repeated_with_back_off_until_it_succeeds() -> None:
    """The API server is away for a minute: few tries, then the run starts."""

    async def story() -> None:
        shell = Shell(manifests.training_job("run", "ns"))

        def away(call: Call) -> None:
            """The API server is away for a while."""
            if fake_time.now() < 60 and call[1] == "Job":
                raise ApiError("no answer")

        shell.client.fault = away
        await shell.work(300)
        failures = shell.recorder.results.count(("TrainingJob", "failed"))
        assert 5 <= failures <= 8
        assert shell.status("run")["jobRef"]["name"]

    fake_time.run(story())


def test_a_server_that_asks_to_wait_is_obeyed() -> None:
    """Retry-After is the least back-off."""

    async def story() -> list[float]:
        shell = Shell(manifests.training_job("run", "ns"))
        times: list[float] = []

        def busy(call: Call) -> None:
            """Too many requests, once."""
            if call[1] == "Job":
                times.append(fake_time.now())
                if len(times) == 1:
                    raise ApiError("busy", code=429, retry_after=40)

        shell.client.fault = busy
        await shell.work(100)
        return times

    assert fake_time.run(story())[:2] == [0, 40]


def test_a_bug_in_a_decision_is_that_objects_alone() -> None:
    """An exception is logged and backs off; the worker lives, and others are looked at."""

    async def story() -> None:
        def broken(_: object) -> Any:
            """A bug."""
            raise ZeroDivisionError

        kinds = {**REGISTRY.kinds, "ModelDeployment": replace(REGISTRY.kinds["ModelDeployment"], decide=broken)}
        objects = manifests.training_job("run", "ns"), manifests.model_deployment("serve", "ns")
        shell = Shell(*objects, registry=Registry(kinds.values()))
        await shell.work(30)
        assert shell.recorder.results.count(("ModelDeployment", "failed")) == 5
        assert shell.status("run")["jobRef"]["name"]

    fake_time.run(story())


def test_an_object_that_is_being_deleted_is_left_alone() -> None:
    """Its children go with it; nothing is written."""

    async def story() -> None:
        going = manifests.training_job("run", "ns")
        going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        shell = Shell(going)
        await shell.work(10)
        assert shell.client.writes == []
        assert shell.recorder.results == [("TrainingJob", "gone")]

    fake_time.run(story())


def test_a_pass_on_an_old_version_is_made_again_at_once() -> None:
    """Somebody edited the object since it was seen: nothing is created for what it was."""

    async def story() -> None:
        shell = Shell(manifests.training_job("run", "ns"))
        seen = shell.client.objects[KEY]
        shell.client.store({**seen, "spec": {**seen["spec"], "suspend": True}})
        await shell.work(10)
        assert shell.recorder.results[0] == ("TrainingJob", "stale")
        assert shell.status("run")["phase"] == "Suspended"

    fake_time.run(story())
