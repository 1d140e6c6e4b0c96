"""Which version is rolled out, and when it counts as stable."""

from __future__ import annotations

import pytest

from perennate.api.wellknown import ANNOTATION_PROMOTE
from tests.support.reconcilers.model_deployment import (
    V1,
    V2,
    V3,
    annotate,
    conditions_of,
    served,
    serving,
    settle,
    status_of,
)
from tests.support.world.cluster_controllers import deployment_rolls_out
from tests.support.world.objects import (
    Document,
    at,
    digest_of,
    model_deployment,
    model_version,
    profile_digest_of,
    published_job,
    training_job,
)
from tests.support.world.world import World


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
