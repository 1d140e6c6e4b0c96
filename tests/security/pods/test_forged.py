"""Forged pods: labels and owner references are free text. Which pods are scraped, and what a forged one can do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perennate.kube.monitoring.serving_pods import LOOKUPS, OWNER_SECONDS, ServingPods
from perennate.kube.runtime.client import ApiError
from tests.support.pods.watched_target import NAME, Cluster
from tests.support.world.memory_client import Call

REAL = "10.0.0.1"
FORGED = "10.0.0.66"
OURS = ("ReplicaSet", f"{NAME}-1", "ns-r")


def other_namespace(cluster: Cluster) -> None:
    """A pod elsewhere that names our ReplicaSet."""
    cluster.add_pod("evil", FORGED, owner=OURS)


def copied_chain(cluster: Cluster) -> None:
    """A whole chain elsewhere, in which a Deployment names our ModelDeployment as its controller."""
    cluster.put("evil", "Deployment", NAME, "evil-d", owner=("ModelDeployment", NAME, "ns-md"))
    cluster.put("evil", "ReplicaSet", f"{NAME}-1", "evil-r", owner=("Deployment", NAME, "evil-d"))
    cluster.add_pod("evil", FORGED, owner=("ReplicaSet", f"{NAME}-1", "evil-r"))


def no_such_replica_set(cluster: Cluster) -> None:
    """A ReplicaSet that does not exist."""
    cluster.add_pod("ns", FORGED, owner=("ReplicaSet", f"{NAME}-9", "ns-r9"))


def wrong_uid(cluster: Cluster) -> None:
    """The name of our ReplicaSet with another uid."""
    cluster.add_pod("ns", FORGED, owner=("ReplicaSet", f"{NAME}-1", "another uid"))


def wrong_name(cluster: Cluster) -> None:
    """The uid of our ReplicaSet with the name of another, which nobody controls."""
    cluster.put("ns", "ReplicaSet", f"{NAME}-2", "ns-r2", owner=("Service", "x", "x"))
    cluster.add_pod("ns", FORGED, owner=("ReplicaSet", f"{NAME}-2", "ns-r2"))


def own_replica_set(cluster: Cluster) -> None:
    """A ReplicaSet of the attacker's own Deployment."""
    cluster.put("ns", "Deployment", f"{NAME}-x", "ns-x", owner=("Service", "x", "x"))
    cluster.put("ns", "ReplicaSet", f"{NAME}-x-1", "ns-xr", owner=("Deployment", f"{NAME}-x", "ns-x"))
    cluster.add_pod("ns", FORGED, owner=("ReplicaSet", f"{NAME}-x-1", "ns-xr"))


def controlled_by_the_deployment(cluster: Cluster) -> None:
    """No ReplicaSet between pod and Deployment."""
    cluster.add_pod("ns", FORGED, owner=("Deployment", NAME, "ns-d"))


def controlled_by_the_model_deployment(cluster: Cluster) -> None:
    """Neither a ReplicaSet nor a Deployment."""
    cluster.add_pod("ns", FORGED, owner=("ModelDeployment", NAME, "ns-md"))


def kind_of_another_group(cluster: Cluster) -> None:
    """An object of another kind with the uid of our Deployment as its controller, named as a ReplicaSet would be."""
    cluster.put("ns", "StatefulSet", f"{NAME}-s", "ns-s", owner=("Deployment", NAME, "ns-d"))
    cluster.add_pod("ns", FORGED, owner=("StatefulSet", f"{NAME}-s", "ns-s"))


@pytest.mark.parametrize(
    "forge",
    [
        other_namespace,
        copied_chain,
        no_such_replica_set,
        wrong_uid,
        wrong_name,
        own_replica_set,
        controlled_by_the_deployment,
        controlled_by_the_model_deployment,
        kind_of_another_group,
    ],
)
async def test_a_forged_pod_is_not_scraped(forge: Callable[[Cluster], None]) -> None:
    cluster = Cluster()
    cluster.add_target("ns")
    cluster.add_pod("ns", REAL)
    forge(cluster)
    assert await found(cluster, cluster.serving_pods) == {REAL}


async def found(cluster: Cluster, pods: ServingPods) -> set[str]:
    """Names of the pods of the target."""
    return {pod["metadata"]["name"] for pod in await pods.of("ns", NAME, "ns-md")}


async def test_a_forged_pod_that_names_our_replica_set_belongs_to_its_own_namespace() -> None:
    """Who may create pods in a namespace can add one to its own target: the label, and our ReplicaSet as controller.

    The controller of ReplicaSets deletes it as one too many. Until then it counts for the policies of that namespace.
    """
    cluster = Cluster()
    for namespace in ("ns", "other"):
        cluster.add_target(namespace)
        cluster.add_pod(namespace, REAL)
    cluster.add_pod("ns", FORGED, owner=OURS)
    assert await found(cluster, cluster.serving_pods) == {REAL, FORGED}
    others = await cluster.serving_pods.of("other", NAME, "other-md")
    assert [pod["metadata"]["namespace"] for pod in others] == ["other"]


@pytest.mark.parametrize("release", [True, False])
async def test_release_and_adoption_are_noticed(release: bool) -> None:
    """The owner of a ReplicaSet is read again after a minute."""
    time = 0.0
    cluster = Cluster()
    cluster.add_target("ns")
    cluster.add_pod("ns", REAL)
    pods = ServingPods(cluster.client, cluster.cache, clock=lambda: time)
    ours, theirs = ("Deployment", NAME, "ns-d"), ("Deployment", "other", "ns-other")
    cluster.put("ns", "ReplicaSet", f"{NAME}-1", "ns-r", owner=ours if release else theirs)
    before = await found(cluster, pods)
    cluster.put("ns", "ReplicaSet", f"{NAME}-1", "ns-r", owner=theirs if release else ours)
    time = OWNER_SECONDS - 1
    assert await found(cluster, pods) == before
    time = OWNER_SECONDS
    assert await found(cluster, pods) == {REAL} - before


async def test_many_forged_pods_cause_few_calls() -> None:
    """A thousand pods that name a thousand ReplicaSets: sixteen calls a visit, and none for names of others."""
    cluster = Cluster()
    cluster.add_target("ns")
    cluster.add_pod("ns", REAL)
    for number in range(1_000):
        cluster.add_pod(
            "ns", f"10.1.{number // 250}.{number % 250}", owner=("ReplicaSet", f"{NAME}-x{number}", f"u{number}")
        )
        cluster.add_pod(
            "ns", f"10.2.{number // 250}.{number % 250}", owner=("ReplicaSet", f"else-{number}", f"v{number}")
        )
    cluster.remove_pod("ns", REAL)
    for visit in range(1, 4):
        assert await found(cluster, cluster.serving_pods) == set()
        assert len(reads(cluster)) == visit * LOOKUPS
    assert len(set(reads(cluster))) == 3 * LOOKUPS


async def test_owners_are_read_once_a_minute() -> None:
    """Known owners are used meanwhile, and for as long as the API server does not respond."""
    time = 0.0
    cluster = Cluster()
    cluster.add_target("ns")
    for number in range(40):
        cluster.add_pod("ns", f"10.0.0.{number}")
    pods = ServingPods(cluster.client, cluster.cache, clock=lambda: time)
    for second in range(121):
        time = float(second)
        assert len(await found(cluster, pods)) == 40
    assert reads(cluster) == [f"{NAME}-1"] * 3

    def fail(_: Call) -> None:
        raise ApiError("the API server is down")

    cluster.client.fault, time = fail, 1_000.0
    assert len(await found(cluster, pods)) == 40
    with pytest.raises(ApiError):
        await found(cluster, ServingPods(cluster.client, cluster.cache))


def reads(cluster: Cluster) -> list[str]:
    """Names of the ReplicaSets that were read."""
    return [name for verb, kind, name in cluster.client.calls if (verb, kind) == ("get", "ReplicaSet")]
