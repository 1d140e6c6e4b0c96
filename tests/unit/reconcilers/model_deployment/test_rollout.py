"""The choice of the version to roll out, and when it becomes stable."""

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
def test_a_version_is_used_only_if_complete_and_recorded(status: Document) -> None:
    """A version is published only if its TrainingJob has both Complete=True and a model version in its status."""
    world = World.of(model_deployment(), training_job("train-x", status=status))
    settle(world)
    assert "currentRevision" not in status_of(world)


def test_the_first_version_rolls_out_and_becomes_stable() -> None:
    """A published version is deployed; when every pod serves it, it becomes stable and an Event is emitted."""
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
    "the Deployment controller has not observed the spec": {"observedGeneration": 0},
    "a pod of the previous version is left": {"replicas": 2},
    "a pod is not updated": {"updatedReplicas": 0},
    "a pod is not available": {"availableReplicas": 0},
}


@pytest.mark.parametrize("change", NOT_LIVE.values(), ids=NOT_LIVE)
def test_a_version_is_not_stable_before_every_pod_serves_it(change: Document) -> None:
    """A version becomes stable only if all counts of the Deployment, for its current spec, show every pod."""
    world = World.of(model_deployment(), published_job("v1"))
    settle(world)
    deployment_rolls_out(world)
    world.objects["Deployment", "m"]["status"].update(change)
    settle(world)
    assert "stableRevision" not in status_of(world)
    assert conditions_of(world)["Progressing"][0] == "True"


def test_an_outdated_deployment_makes_no_version_stable() -> None:
    """The counts of a Deployment that still has another template say nothing about the wanted version."""
    world = serving()
    world.put(published_job("v2", completed=at(-100)))
    world.step("ModelDeployment", "m", crash_after=0)
    plan = world.plan("ModelDeployment", "m")
    assert plan.status is not None
    assert plan.status["stableRevision"]["digest"] == digest_of("v1")
    assert plan.status["currentRevision"]["digest"] == digest_of("v2")


def test_a_newer_version_rolls_out_without_lowering_ready() -> None:
    """With automatic promotion, the newest version rolls out while the old one serves; Ready stays True."""
    world = serving()
    world.put(published_job("v2", completed=at(-100)))
    assert settle(world) == ["VersionResolved"]
    assert served(world) == V2
    assert conditions_of(world)["Ready"] == ("True", "RollingOut")
    assert status_of(world)["stableRevision"]["digest"] == digest_of("v1")
    assert status_of(world)["summary"].endswith(f"{V1} still serves")
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
    """A newer version replaces one that is rolling out, without waiting for it or rejecting it."""
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


def test_versions_completed_in_the_same_second_are_ordered_by_name() -> None:
    """Completion times have a resolution of one second; the name decides between equal times."""
    for names in (("a", "b"), ("b", "a")):
        jobs = [published_job(f"v-{name}", name=f"train-{name}", completed=at(-100)) for name in names]
        world = World.of(model_deployment(), *jobs)
        settle(world)
        assert status_of(world)["currentRevision"]["trainingJob"] == "train-b"


def test_the_current_version_is_kept_without_its_training_job() -> None:
    """If TrainingJobs are deleted after their time to live, the current version is still served."""
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


def test_a_later_version_replaces_one_whose_training_job_is_gone() -> None:
    """If the TrainingJob of the current version is gone, a version published after its selection is newer."""
    world = serving()
    world.delete("TrainingJob", "train-v1")
    world.put(published_job("v2", completed=at(10)))
    settle(world)
    assert served(world) == V2


def test_manual_promotion_waits_for_the_annotation() -> None:
    """The first version is served at once; a newer one waits for the promote annotation, which is handled once."""
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


def test_a_change_of_the_tracked_line_keeps_the_old_version_until_there_is_a_new_one() -> None:
    """If the tracked line changes, its newest version is served; until it has one, the old version is kept."""
    world = serving()
    world.objects["ModelDeployment", "m"]["spec"]["model"] = {"track": {"name": "sun", "promotion": "Manual"}}
    settle(world)
    assert served(world) == V1
    world.put(published_job("v2", model="sun", completed=at(-5000)))
    settle(world)
    assert served(world) == V2
    assert status_of(world)["currentRevision"]["model"] == "sun"


def test_a_change_of_the_pod_template_rolls_out_the_same_version() -> None:
    """A change of the pod template rolls out the same version again: it stays stable, and Progressing is True."""
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
