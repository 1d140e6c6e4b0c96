"""Without `promotion`, a version that captured labels alone have proven waits for a person."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.wellknown import ANNOTATION_PROMOTE
from tests.support.reconcilers.model_deployment import (
    V1,
    V2,
    V3,
    annotate,
    conditions_of,
    message_of,
    served,
    serving,
    settle,
    status_of,
)
from tests.support.world.cluster_controllers import deployment_rolls_out
from tests.support.world.objects import Document, at, digest_of, model_deployment, published_job
from tests.support.world.world import World

ANCHOR = {"uri": "pvc://rows/anchor.csv", "metric": "auc", "maxLoss": 0.02}


def captured_job(version: str, *, completed: str, anchor: Document | None = None) -> Document:
    """A TrainingJob that trained a version on captured labels."""
    job = published_job(version, completed=completed)
    captured: Document = {"modelDeployment": "m"} if anchor is None else {"modelDeployment": "m", "anchor": anchor}
    job["spec"]["data"] = {"captured": captured}
    return job


def track(promotion: str | None = None) -> Document:
    """A ModelDeployment with this promotion."""
    tracked = {"name": "rain"} if promotion is None else {"name": "rain", "promotion": promotion}
    return {"spec": {"model": {"track": tracked}}}


def test_an_unproven_version_waits_and_the_status_says_what_to_do() -> None:
    world = serving(**track())
    world.put(captured_job("v2", completed=at(-100)))
    assert settle(world) == ["AwaitingPromotion"]
    assert (served(world), status_of(world)["candidateRevision"]["digest"]) == (V1, digest_of("v2"))
    assert conditions_of(world)["Progressing"] == ("False", "AwaitingPromotion")
    assert conditions_of(world)["Ready"][0] == "True"
    message = message_of(world, "Progressing")
    for part in ("without data.captured.anchor", ANNOTATION_PROMOTE, "add an anchor", "spec.model.track.promotion"):
        assert part in message
        assert part in status_of(world)["summary"]
    assert settle(world) == []
    annotate(world, ANNOTATION_PROMOTE, "2026-03-01T13:00:00Z")
    assert settle(world) == ["Promoted"]
    assert served(world) == V2
    world.put(captured_job("v3", completed=at(-50)))
    deployment_rolls_out(world)
    assert "AwaitingPromotion" in settle(world)
    assert served(world) == V2


@pytest.mark.parametrize(
    ("promotion", "anchor", "waits"),
    [
        (None, None, True),
        (None, ANCHOR, False),
        ("Automatic", None, False),
        ("Automatic", ANCHOR, False),
        ("Manual", None, True),
        ("Manual", ANCHOR, True),
    ],
)
def test_an_anchor_or_an_explicit_promotion_rolls_out(
    promotion: str | None, anchor: Document | None, waits: bool
) -> None:
    world = serving(**track(promotion))
    world.put(captured_job("v2", completed=at(-100), anchor=anchor))
    settle(world)
    assert served(world) == (V1 if waits else V2)


def test_a_proven_version_is_not_held_up_by_an_unproven_one() -> None:
    """The newest proven version rolls out, and the newer one waits."""
    world = serving(**track())
    world.put(published_job("v2", completed=at(-100)))
    world.put(captured_job("v3", completed=at(-50)))
    settle(world)
    assert (served(world), status_of(world)["candidateRevision"]["digest"]) == (V2, digest_of("v3"))
    annotate(world, ANNOTATION_PROMOTE, "now")
    settle(world)
    assert served(world) == V3


def test_a_newer_proven_version_replaces_the_waiting_one() -> None:
    world = serving(**track())
    world.put(captured_job("v2", completed=at(-100)))
    settle(world)
    world.put(published_job("v3", completed=at(-50)))
    settle(world)
    assert (served(world), "candidateRevision" in status_of(world)) == (V3, False)


def test_a_new_deployment_does_not_begin_with_an_unproven_version() -> None:
    """Whoever creates a second ModelDeployment of the line gets the version that a person would have to approve."""
    world = World.of(model_deployment(**track()), captured_job("v2", completed=at(-100)))
    assert settle(world) == ["AwaitingPromotion"]
    assert conditions_of(world)["Ready"] == ("False", "AwaitingPromotion")
    assert "without data.captured.anchor" in message_of(world, "Ready")
    assert ("Deployment", "m") not in world.objects
    annotate(world, ANNOTATION_PROMOTE, "now")
    settle(world)
    assert served(world) == V2


def test_a_new_deployment_begins_with_the_newest_proven_version() -> None:
    world = World.of(
        model_deployment(**track()), published_job("v1", completed=at(-300)), captured_job("v2", completed=at(-100))
    )
    settle(world)
    assert (served(world), status_of(world)["candidateRevision"]["digest"]) == (V1, digest_of("v2"))


def test_a_rejected_version_does_not_let_an_unproven_one_in() -> None:
    """If the current version is rejected, the stable one is served, not the one that waits."""
    rejected: dict[str, Any] = {"digest": digest_of("v2"), "time": at(0), "message": "it did not become ready"}
    world = serving(**track())
    world.put(published_job("v2", completed=at(-100)))
    world.put(captured_job("v3", completed=at(-50)))
    settle(world)
    world.objects["ModelDeployment", "m"]["status"]["rejected"] = [rejected]
    settle(world)
    assert (served(world), status_of(world)["candidateRevision"]["digest"]) == (V1, digest_of("v3"))


def test_removing_the_promotion_holds_the_next_version_only() -> None:
    """A version that rolled out stays."""
    world = serving(**track("Automatic"))
    world.put(captured_job("v2", completed=at(-100)))
    settle(world)
    deployment_rolls_out(world)
    del world.objects["ModelDeployment", "m"]["spec"]["model"]["track"]["promotion"]
    world.put(captured_job("v3", completed=at(-50)))
    settle(world)
    assert served(world) == V2


def test_a_request_approves_the_version_that_the_status_shows() -> None:
    """Not one that was published after the person looked: somebody may have poisoned it meanwhile."""
    world = serving(**track())
    world.put(captured_job("v2", completed=at(-100)))
    settle(world)
    world.put(captured_job("v3", completed=at(-50)))
    annotate(world, ANNOTATION_PROMOTE, "2026-03-01T13:00:00Z")
    settle(world)
    assert (served(world), status_of(world)["candidateRevision"]["digest"]) == (V2, digest_of("v3"))


def test_an_approval_in_advance_approves_nothing() -> None:
    world = serving(**track())
    annotate(world, ANNOTATION_PROMOTE, "2030-01-01T00:00:00Z")
    settle(world)
    world.put(captured_job("v2", completed=at(-100)))
    settle(world)
    assert (served(world), status_of(world)["candidateRevision"]["digest"]) == (V1, digest_of("v2"))
