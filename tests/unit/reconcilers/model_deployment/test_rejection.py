"""Rejection of a version that does not become ready, and the retry on request."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.wellknown import ANNOTATION_RETRY, EXIT_VERSION_REFUSED
from tests.support.reconcilers.model_deployment import (
    V1,
    V2,
    annotate,
    conditions_of,
    message_of,
    pin,
    served,
    serving,
    settle,
    status_of,
)
from tests.support.world.cluster_controllers import deployment_gets_stuck, deployment_rolls_out
from tests.support.world.objects import (
    Document,
    at,
    digest_of,
    ended,
    model_deployment,
    published_job,
    waiting,
)
from tests.support.world.world import World


def stuck(**fields: Any) -> World:
    """A world that serves v1 again after v2 was rejected."""
    world = serving(**fields)
    world.put(published_job("v2", completed=at(-100)))
    settle(world)
    world.pass_time(601)
    deployment_gets_stuck(world)
    settle(world)
    return world


def fetch_fails(error: str) -> Document:
    """The status of a fetch container that rejected the version and waits for its restart."""
    return waiting("fetch", "CrashLoopBackOff", last=ended("fetch", EXIT_VERSION_REFUSED, error))


def test_a_version_that_misses_its_deadline_is_rejected() -> None:
    """A rejection is recorded before the rollback to the stable version; the rejected digest is not tried again."""
    world = serving()
    world.put(published_job("v2", completed=at(-100)))
    settle(world)
    world.pass_time(601)
    error = "digest of model.skops is wrong"
    deployment_gets_stuck(world, container=fetch_fails(error))
    plan = world.step("ModelDeployment", "m")
    assert plan is not None
    assert plan.requeue_after == 0.0
    assert [event.reason for event in plan.events] == ["VersionRejected"]
    assert served(world) == V2
    (rejected,) = status_of(world)["rejected"]
    assert rejected["digest"] == digest_of("v2")
    assert rejected["message"].startswith(
        f"version {V2} did not become ready in 600 s; spec.model.track.name: container fetch of pod m-new ended"
    )
    assert error in rejected["message"]
    settle(world)
    assert served(world) == V1
    assert status_of(world)["currentRevision"]["digest"] == digest_of("v1")
    deployment_rolls_out(world)
    settle(world)
    assert conditions_of(world)["Ready"] == ("True", "RolledOut")
    assert conditions_of(world)["Progressing"] == ("False", "VersionRejected")
    assert "spec.model.track.name: container fetch" in message_of(world, "Progressing")
    assert error in message_of(world, "Progressing")
    assert f"version {V2} was rejected" in status_of(world)["summary"]
    world.pass_time(3600)
    assert settle(world) == []
    assert served(world) == V1


def test_the_deployment_status_alone_rejects_no_version() -> None:
    """The Deployment may still report the previous version's deadline, so the operator's own clock must agree."""
    world = serving()
    world.put(published_job("v2", completed=at(-100)))
    settle(world)
    world.pass_time(10)
    deployment_gets_stuck(world)
    settle(world)
    assert status_of(world).get("rejected", []) == []
    assert world.plan("ModelDeployment", "m").requeue_after == 590.0


def test_the_stable_version_is_never_rejected() -> None:
    """If the pods of a stable version fail, the version is not the cause: it is reported, not rejected."""
    world = serving()
    world.objects["ModelDeployment", "m"]["spec"]["replicas"] = 2
    settle(world)
    world.pass_time(3600)
    deployment_gets_stuck(world)
    world.objects["Deployment", "m"]["status"]["availableReplicas"] = 1
    settle(world)
    assert status_of(world).get("rejected", []) == []
    assert conditions_of(world)["Available"] == ("False", "PodsNotReady")
    assert conditions_of(world)["Ready"] == ("False", "PodsNotReady")
    assert status_of(world)["phase"] == "Degraded"


def test_after_a_rejection_a_superseded_version_is_tried() -> None:
    """The newest version that is not rejected and not older than stable is served, even if it was superseded."""
    world = serving()
    world.put(published_job("v2", completed=at(-100)))
    settle(world)
    world.put(published_job("v3", completed=at(-50)))
    settle(world)
    world.pass_time(601)
    deployment_gets_stuck(world)
    settle(world)
    assert served(world) == V2


def test_a_rejected_first_version_stays_deployed_and_can_recover() -> None:
    """Without a stable version, a rejected version stays deployed; when its pods are ready, it is accepted."""
    world = World.of(model_deployment(), published_job("v1"))
    settle(world)
    world.pass_time(601)
    deployment_gets_stuck(world)
    settle(world)
    assert served(world) == V1
    assert conditions_of(world)["Ready"] == ("False", "AllVersionsRejected")
    assert status_of(world)["phase"] == "Degraded"
    deployment_rolls_out(world)
    settle(world)
    assert conditions_of(world)["Ready"] == ("True", "RolledOut")
    assert status_of(world).get("rejected", []) == []


def test_a_retry_request_clears_the_rejections_once() -> None:
    """Each value of the retry annotation is handled once: the version is tried again with a new deadline."""
    world = stuck()
    assert served(world) == V1
    annotate(world, ANNOTATION_RETRY, "2026-03-01T13:00:00Z")
    assert "Retried" in settle(world)
    assert served(world) == V2
    assert status_of(world)["handledRetry"] == "2026-03-01T13:00:00Z"
    deployment_gets_stuck(world)
    settle(world)
    assert status_of(world).get("rejected", []) == []
    world.pass_time(601)
    settle(world)
    assert served(world) == V1
    assert settle(world) == []


def test_a_rejected_pinned_version_falls_back_to_the_stable_one() -> None:
    """If a pinned version is rejected, the stable one is served, and Ready is False and names the field."""
    world = serving()
    world.objects["ModelDeployment", "m"]["spec"]["model"] = {"pinned": pin("v2")}
    settle(world)
    assert served(world) == V2
    world.pass_time(601)
    deployment_gets_stuck(world, container=fetch_fails("digest of model.skops is wrong"))
    settle(world)
    deployment_rolls_out(world)
    settle(world)
    assert served(world) == V1
    assert conditions_of(world)["Ready"] == ("False", "VersionRejected")
    assert message_of(world, "Ready").startswith("spec.model.pinned:")
    assert "digest of model.skops is wrong" in message_of(world, "Ready")
    assert message_of(world, "Ready").endswith(f"{V1} is served instead")
    assert status_of(world)["phase"] == "Degraded"
    world.objects["ModelDeployment", "m"]["spec"]["model"] = {"track": {"name": "rain"}}
    settle(world)
    assert conditions_of(world)["Ready"] == ("True", "RolledOut")


@pytest.mark.parametrize("field", ["spec.model.pinned", "spec.model.track.name"])
def test_the_conditions_say_why_a_first_version_fails(field: str) -> None:
    """Ready and ModelLoaded contain the field of the version and the termination message of the container."""
    spec = {"model": {"pinned": pin("v1")}} if field == "spec.model.pinned" else {}
    world = World.of(model_deployment(spec=spec), published_job("v1"))
    settle(world)
    deployment_gets_stuck(world, container=fetch_fails("no such version"))
    settle(world)
    for type_ in ("ModelLoaded", "Ready"):
        assert conditions_of(world)[type_] == ("False", "ModelNotLoaded")
        assert message_of(world, type_) == (
            f"{field}: container fetch of pod m-new ended with exit code 13: no such version; "
            "it will be restarted (CrashLoopBackOff)"
        )


NOT_CAUSED_BY_THE_VERSION = {
    "a full disk": waiting("fetch", "CrashLoopBackOff", last=ended("fetch", 1, "No space left on device")),
    "no memory": waiting("fetch", "CrashLoopBackOff", last=ended("fetch", 137, reason="OOMKilled")),
    "no image": waiting("fetch", "ImagePullBackOff", "Back-off pulling image"),
}


@pytest.mark.parametrize("case", NOT_CAUSED_BY_THE_VERSION)
def test_a_pod_failure_is_not_attributed_to_the_version(case: str) -> None:
    """The message names the field of the version only if the exit code says that the version was rejected."""
    world = World.of(model_deployment(), published_job("v1"))
    settle(world)
    deployment_gets_stuck(world, container=NOT_CAUSED_BY_THE_VERSION[case])
    settle(world)
    assert message_of(world, "ModelLoaded").startswith("container fetch of pod m-new ")
