"""The life of a ModelDeployment, pass by pass, in a world of plain objects."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.version import short_version
from perennate.api.wellknown import ANNOTATION_PROMOTE, ANNOTATION_RETRY, EXIT_VERSION_REFUSED, LABEL_VERSION
from tests.support.cluster_controllers import deployment_gets_stuck, deployment_rolls_out
from tests.support.objects import (
    Document,
    at,
    digest_of,
    ended,
    metadata,
    model_deployment,
    model_version,
    profile_digest_of,
    published_job,
    training_job,
    waiting,
)
from tests.support.world import World

V1, V2, V3 = (short_version(digest_of(version)) for version in ("v1", "v2", "v3"))


def settle(world: World) -> list[str]:
    """Passes until rest; the reasons of all Events."""
    return [event.reason for plan in world.settle("ModelDeployment", "m") for event in plan.events]


def status_of(world: World) -> Document:
    """The status of the ModelDeployment."""
    return world.objects["ModelDeployment", "m"]["status"]  # type: ignore[no-any-return]


def conditions_of(world: World) -> dict[str, tuple[str, str]]:
    """Status and reason of each condition."""
    return {c["type"]: (c["status"], c["reason"]) for c in status_of(world)["conditions"]}


def message_of(world: World, type_: str) -> str:
    """The message of a condition."""
    return next(str(c["message"]) for c in status_of(world)["conditions"] if c["type"] == type_)


def served(world: World) -> str:
    """The version of the Deployment's template."""
    return str(world.objects["Deployment", "m"]["spec"]["template"]["metadata"]["labels"][LABEL_VERSION])


def annotate(world: World, name: str, value: str) -> None:
    """A person sets an annotation."""
    world.objects["ModelDeployment", "m"]["metadata"].setdefault("annotations", {})[name] = value


def serving(**fields: Any) -> World:
    """A world in which every pod serves v1."""
    world = World.of(model_deployment(**fields), published_job("v1"))
    settle(world)
    deployment_rolls_out(world)
    settle(world)
    return world


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


def test_without_a_version_the_service_stands_and_the_rest_waits() -> None:
    """A line without a published version is said so; clients find the Service's name already."""
    world = World.of(model_deployment(), training_job("train-x", status={"modelVersion": model_version("v1")}))
    assert settle(world) == ["NoVersion"]
    assert ("Service", "m") in world.objects
    assert ("Deployment", "m") not in world.objects
    assert status_of(world)["phase"] == "Pending"
    assert conditions_of(world)["Ready"] == ("False", "NoVersion")
    assert 'model line "rain"' in status_of(world)["summary"]


@pytest.mark.parametrize(
    "status",
    [
        {"modelVersion": model_version("v1"), "conditions": []},
        {"conditions": [{"type": "Complete", "status": "True", "reason": "VersionPublished"}]},
    ],
    ids=["not complete", "no version"],
)
def test_a_version_counts_only_if_complete_and_recorded(status: Document) -> None:
    """Both the condition Complete=True and the version must be there: neither alone is proof of a published version."""
    world = World.of(model_deployment(), training_job("train-x", status=status))
    settle(world)
    assert "currentRevision" not in status_of(world)


def test_the_first_version_rolls_out_and_becomes_stable() -> None:
    """A published version gets a Deployment, and is stable and told of when every pod serves it; not before."""
    world = World.of(model_deployment(spec={"replicas": 2}), published_job("v1"))
    assert settle(world) == ["VersionResolved"]
    assert served(world) == V1
    assert status_of(world)["phase"] == "Progressing"
    assert status_of(world)["summary"] == f"rolling out {V1} (0 of 2 pods)"
    assert conditions_of(world)["Ready"] == ("False", "RollingOut")
    assert "stableRevision" not in status_of(world)
    deployment_rolls_out(world)
    assert settle(world) == ["RolledOut"]
    stable = status_of(world)["stableRevision"]
    assert stable["digest"] == digest_of("v1")
    assert stable["profileDigest"] == profile_digest_of("v1")
    assert stable["since"] == at(0)
    assert status_of(world)["phase"] == "Healthy"
    assert status_of(world)["summary"] == f"serving {V1} with 2 of 2 pods"
    assert status_of(world)["url"] == "http://m.weather.svc"
    assert status_of(world)["selector"] == "perennate.dev/model-deployment=m"
    assert status_of(world)["readyReplicas"] == 2
    assert conditions_of(world) == {
        "Ready": ("True", "RolledOut"),
        "Available": ("True", "PodsReady"),
        "ModelLoaded": ("True", "ModelLoaded"),
        "Progressing": ("False", "RolledOut"),
    }


NOT_LIVE = {
    "the Deployment's controller has not looked yet": {"observedGeneration": 0},
    "a pod of the version before is left": {"replicas": 2},
    "a pod is not updated": {"updatedReplicas": 0},
    "a pod is not available": {"availableReplicas": 0},
}


@pytest.mark.parametrize("change", NOT_LIVE.values(), ids=NOT_LIVE)
def test_a_version_is_not_stable_before_every_pod_serves_it(change: Document) -> None:
    """Stable means every pod: each number of the Deployment must say so, and about its present spec."""
    world = World.of(model_deployment(), published_job("v1"))
    settle(world)
    deployment_rolls_out(world)
    world.objects["Deployment", "m"]["status"].update(change)
    settle(world)
    assert "stableRevision" not in status_of(world)
    assert conditions_of(world)["Progressing"][0] == "True"


def test_a_deployment_that_is_not_as_wanted_makes_nothing_stable() -> None:
    """Full counts of a Deployment that still has another template prove nothing about the version wanted."""
    world = serving()
    world.put(published_job("v2", completed=at(-100)))
    world.step("ModelDeployment", "m", crash_after=0)
    plan = world.plan("ModelDeployment", "m")
    assert plan.status is not None
    assert plan.status["stableRevision"]["digest"] == digest_of("v1")
    assert plan.status["currentRevision"]["digest"] == digest_of("v2")


def test_a_newer_version_rolls_out_without_lowering_ready() -> None:
    """Automatic promotion: the newest version of the line rolls out while the old one answers; Ready stays."""
    world = serving()
    world.put(published_job("v2", completed=at(-100)))
    assert settle(world) == ["VersionResolved"]
    assert served(world) == V2
    assert conditions_of(world)["Ready"] == ("True", "RollingOut")
    assert status_of(world)["stableRevision"]["digest"] == digest_of("v1")
    assert status_of(world)["summary"].endswith(f"{V1} keeps answering")
    deployment_rolls_out(world)
    assert settle(world) == ["RolledOut"]
    assert status_of(world)["stableRevision"]["digest"] == digest_of("v2")
    assert [entry["reason"] for entry in status_of(world)["history"]] == [
        "VersionResolved",
        "RolledOut",
        "VersionResolved",
        "RolledOut",
    ]


def test_a_version_that_arrives_during_a_rollout_supersedes_it() -> None:
    """Only the newest version matters: the one in between is neither awaited nor rejected."""
    world = serving()
    world.put(published_job("v2", completed=at(-100)))
    settle(world)
    world.put(published_job("v3", completed=at(-50)))
    settle(world)
    assert served(world) == V3
    deployment_rolls_out(world)
    settle(world)
    assert status_of(world)["stableRevision"]["digest"] == digest_of("v3")
    assert status_of(world).get("rejected", []) == []


def test_versions_of_one_second_are_ordered_by_name() -> None:
    """Completion times have whole seconds; the name decides between equals, whatever the order of the list."""
    for names in (("a", "b"), ("b", "a")):
        jobs = [published_job(f"v-{name}", name=f"train-{name}", completed=at(-100)) for name in names]
        world = World.of(model_deployment(), *jobs)
        settle(world)
        assert status_of(world)["currentRevision"]["trainingJob"] == "train-b"


def test_the_current_version_survives_its_training_job() -> None:
    """A TrainingJob deleted by its time to live takes nothing with it, and no older version comes back."""
    world = World.of(
        model_deployment(), published_job("v1", completed=at(-900)), published_job("v2", completed=at(-300))
    )
    settle(world)
    deployment_rolls_out(world)
    settle(world)
    world.delete("TrainingJob", "train-v2")
    assert settle(world) == []
    assert served(world) == V2
    world.delete("TrainingJob", "train-v1")
    assert settle(world) == []
    assert served(world) == V2


def test_a_later_version_follows_one_whose_training_job_is_gone() -> None:
    """What was published after the present version was chosen is newer, if no more is known of that version."""
    world = serving()
    world.delete("TrainingJob", "train-v1")
    world.put(published_job("v2", completed=at(10)))
    settle(world)
    assert served(world) == V2


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


def test_manual_promotion_waits_for_a_person() -> None:
    """The first version is served at once; a newer one is a candidate until the promote annotation, counted once."""
    world = serving(spec={"model": {"track": {"name": "rain", "promotion": "Manual"}}})
    assert served(world) == V1
    world.put(published_job("v2", completed=at(-100)))
    assert settle(world) == ["AwaitingPromotion"]
    assert served(world) == V1
    assert status_of(world)["candidateRevision"]["digest"] == digest_of("v2")
    assert conditions_of(world)["Progressing"] == ("False", "AwaitingPromotion")
    assert ANNOTATION_PROMOTE in status_of(world)["summary"]
    annotate(world, ANNOTATION_PROMOTE, "2026-03-01T13:00:00Z")
    assert settle(world) == ["Promoted"]
    assert served(world) == V2
    assert "candidateRevision" not in status_of(world)
    deployment_rolls_out(world)
    world.put(published_job("v3", completed=at(-50)))
    settle(world)
    assert served(world) == V2
    assert status_of(world)["candidateRevision"]["digest"] == digest_of("v3")


def test_a_pinned_version_is_served_before_any_training_job_is_known() -> None:
    """Git decides: the digest of the spec is deployed, and its profile is filled in once its TrainingJob is seen."""
    world = World.of(model_deployment(spec={"model": {"pinned": _pin("v1")}}))
    settle(world)
    assert served(world) == V1
    assert "profileDigest" not in status_of(world)["currentRevision"]
    world.put(published_job("v1"))
    world.put(published_job("v2", completed=at(-100)))
    deployment_rolls_out(world)
    settle(world)
    assert served(world) == V1
    assert status_of(world)["stableRevision"]["profileDigest"] == profile_digest_of("v1")


def test_a_pinned_version_that_fails_falls_back_and_says_so() -> None:
    """The pinned version is not what is served then: Ready is False and names the field, while the old one answers."""
    world = serving()
    world.objects["ModelDeployment", "m"]["spec"]["model"] = {"pinned": _pin("v2")}
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


def test_another_line_is_followed_at_once_and_the_old_version_stays_until_then() -> None:
    """An edit of the tracked line switches to its newest version; while it has none, the old version is served on."""
    world = serving()
    world.objects["ModelDeployment", "m"]["spec"]["model"] = {"track": {"name": "sun", "promotion": "Manual"}}
    settle(world)
    assert served(world) == V1
    world.put(published_job("v2", model="sun", completed=at(-5000)))
    settle(world)
    assert served(world) == V2
    assert status_of(world)["currentRevision"]["model"] == "sun"


def test_an_edit_of_the_spec_rolls_the_same_version_again() -> None:
    """Other resources are another template of the same version: stable stays, Progressing shows it."""
    world = serving()
    world.objects["ModelDeployment", "m"]["spec"]["serving"] = {"resources": {"limits": {"memory": "2Gi"}}}
    settle(world)
    assert conditions_of(world)["Progressing"] == ("True", "RollingOut")
    assert conditions_of(world)["Ready"] == ("True", "RollingOut")
    assert status_of(world)["stableRevision"]["since"] == at(0)
    deployment_rolls_out(world)
    world.pass_time(60)
    settle(world)
    assert status_of(world)["stableRevision"]["since"] == at(0)


def test_scaling_is_told_of() -> None:
    """Another number of replicas reaches the Deployment, with one Event."""
    world = serving()
    world.objects["ModelDeployment", "m"]["spec"]["replicas"] = 3
    assert settle(world) == ["Scaled"]
    assert world.objects["Deployment", "m"]["spec"]["replicas"] == 3


def test_no_replicas_serve_nothing_and_prove_nothing() -> None:
    """Scaled to zero is what was asked for, hence Ready; but a version that no pod served does not become stable."""
    world = World.of(model_deployment(spec={"replicas": 0}), published_job("v1"))
    settle(world)
    deployment_rolls_out(world)
    settle(world)
    assert conditions_of(world)["Ready"] == ("True", "Scaled")
    assert status_of(world)["phase"] == "Healthy"
    assert "stableRevision" not in status_of(world)


@pytest.mark.parametrize("kind", ["Deployment", "Service"])
def test_a_foreign_child_is_neither_adopted_nor_touched(kind: str) -> None:
    """Nothing is applied while another owner holds the name of a child; it heals when the name is free."""
    foreign = {"kind": kind, "metadata": metadata("m", kind), "spec": {"replicas": 7}}
    world = World.of(model_deployment(), published_job("v1"), foreign)
    plan = world.step("ModelDeployment", "m")
    assert plan is not None
    assert (plan.create, plan.apply, plan.delete) == ((), (), ())
    assert conditions_of(world)["Ready"] == ("False", "NameTaken")
    assert f'{kind} "m"' in message_of(world, "Ready")
    world.delete(kind, "m")
    settle(world)
    assert served(world) == V1


def test_what_a_deleted_namesake_left_is_waited_for() -> None:
    """An object created again under its old name waits a moment for the garbage collector, without alarm."""
    world = serving()
    world.delete("TrainingJob", "train-v1")
    leftovers = [world.get("Deployment", "m"), world.get("Service", "m")]
    world.delete("ModelDeployment", "m")
    for document in (model_deployment(uid="uid-of-the-next"), published_job("v1"), *leftovers):
        assert document is not None
        world.put(document)
    plan = world.step("ModelDeployment", "m")
    assert plan is not None
    assert (plan.apply, plan.events, plan.requeue_after) == ((), (), 2.0)
    assert status_of(world)["phase"] == "Pending"
    world.delete("Deployment", "m")
    world.delete("Service", "m")
    settle(world)
    assert served(world) == V1


@pytest.mark.parametrize("field", ["spec.model.pinned", "spec.model.track.name"])
def test_a_failing_first_version_says_why(field: str) -> None:
    """Ready and ModelLoaded name the field that the version comes from, and what the container said of it."""
    spec = {"model": {"pinned": _pin("v1")}} if field == "spec.model.pinned" else {}
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


def test_deleted_children_come_back() -> None:
    """A Deployment or Service that somebody deleted is applied again, the same as before."""
    world = serving()
    before = {kind: world.objects[kind, "m"]["spec"] for kind in ("Deployment", "Service")}
    for kind in before:
        world.delete(kind, "m")
    settle(world)
    assert {kind: world.objects[kind, "m"]["spec"] for kind in before} == before


def test_a_deleted_deployment_is_left_alone() -> None:
    """While the object is being deleted nothing is written."""
    world = World.of(model_deployment(deletionTimestamp=at(0)), published_job("v1"))
    plan = world.plan("ModelDeployment", "m")
    assert (plan.status, plan.create, plan.apply, plan.events) == (None, (), (), ())


def _pin(version: str) -> Document:
    return {"digest": digest_of(version), "uri": model_version(version)["uri"]}
