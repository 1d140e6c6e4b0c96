"""A version that does not become ready: given up, remembered, tried again when asked."""

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
    """A world that serves v1 and in which v2 has just been given up and v1 is taken again."""
    world = serving(**fields)
    world.put(published_job("v2", completed=at(-100)))
    settle(world)
    world.pass_time(601)
    deployment_gets_stuck(world)
    settle(world)
    return world


def fetch_fails(story: str) -> Document:
    """Status of the container that finds the version unfit and waits to be started again."""
    return waiting("fetch", "CrashLoopBackOff", last=ended("fetch", EXIT_VERSION_REFUSED, story))


def test_a_version_that_misses_its_deadline_is_given_up() -> None:
    """The rejection is recorded first; then the stable template comes back, and the digest is not tried again."""
    world = serving()
    world.put(published_job("v2", completed=at(-100)))
    settle(world)
    world.pass_time(601)
    story = "digest of model.skops is wrong"
    deployment_gets_stuck(world, container=fetch_fails(story))
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
    assert story in rejected["message"]
    settle(world)
    assert served(world) == V1
    assert status_of(world)["currentRevision"]["digest"] == digest_of("v1")
    deployment_rolls_out(world)
    settle(world)
    assert conditions_of(world)["Ready"] == ("True", "RolledOut")
    assert conditions_of(world)["Progressing"] == ("False", "VersionRejected")
    assert "spec.model.track.name: container fetch" in message_of(world, "Progressing")
    assert story in message_of(world, "Progressing")
    assert f"version {V2} was rejected" in status_of(world)["summary"]
    world.pass_time(3600)
    assert settle(world) == []
    assert served(world) == V1


def test_the_word_of_the_deployment_alone_rejects_nothing() -> None:
    """Right after a change the Deployment may report the deadline of the version before: our own clock counts too."""
    world = serving()
    world.put(published_job("v2", completed=at(-100)))
    settle(world)
    world.pass_time(10)
    deployment_gets_stuck(world)
    settle(world)
    assert status_of(world).get("rejected", []) == []
    assert world.plan("ModelDeployment", "m").requeue_after == 590.0


def test_the_stable_version_is_never_rejected() -> None:
    """A proven version whose pods fail is a fault of something else: it is reported, not given up."""
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


def test_after_a_rejection_the_version_in_between_gets_its_turn() -> None:
    """The newest version that is not rejected is served: a superseded one may be tried, one older than stable not."""
    world = serving()
    world.put(published_job("v2", completed=at(-100)))
    settle(world)
    world.put(published_job("v3", completed=at(-50)))
    settle(world)
    world.pass_time(601)
    deployment_gets_stuck(world)
    settle(world)
    assert served(world) == V2


def test_a_first_version_that_fails_stays_and_heals() -> None:
    """With nothing to go back to, the version stays deployed; once its pods are ready, the rejection is taken back."""
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


def test_a_retry_forgets_the_rejections_once() -> None:
    """The retry annotation is answered once: the version is tried again, and given up again by a new deadline."""
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


def test_a_pinned_version_that_fails_falls_back_and_says_so() -> None:
    """The pinned version is not what is served then: Ready is False and names the field, while the old one answers."""
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
def test_a_failing_first_version_says_why(field: str) -> None:
    """Ready and ModelLoaded name the field that the version comes from, and what the container said of it."""
    spec = {"model": {"pinned": pin("v1")}} if field == "spec.model.pinned" else {}
    world = World.of(model_deployment(spec=spec), published_job("v1"))
    settle(world)
    deployment_gets_stuck(world, container=fetch_fails("no such version"))
    settle(world)
    for type_ in ("ModelLoaded", "Ready"):
        assert conditions_of(world)[type_] == ("False", "ModelNotLoaded")
        assert message_of(world, type_) == (
            f"{field}: container fetch of pod m-new ended with exit code 13: no such version; "
            "it waits to be started again (CrashLoopBackOff)"
        )


BLAMELESS = {
    "a full disk": waiting("fetch", "CrashLoopBackOff", last=ended("fetch", 1, "No space left on device")),
    "no memory": waiting("fetch", "CrashLoopBackOff", last=ended("fetch", 137, reason="OOMKilled")),
    "no image": waiting("fetch", "ImagePullBackOff", "Back-off pulling image"),
}


@pytest.mark.parametrize("case", BLAMELESS)
def test_the_version_is_not_blamed_for_what_is_wrong_with_the_pod(case: str) -> None:
    """The field of the version is named only if its container ended with the code that says so."""
    world = World.of(model_deployment(), published_job("v1"))
    settle(world)
    deployment_gets_stuck(world, container=BLAMELESS[case])
    settle(world)
    assert message_of(world, "ModelLoaded").startswith("container fetch of pod m-new ")
