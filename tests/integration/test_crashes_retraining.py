"""The operator is killed after each write of a retraining: one episode, one TrainingJob, the same final state."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from perennate.api.v1alpha1.drift_policy import EpisodePhase
from perennate.kube.kinds.registry import RESOURCES
from tests.support.cluster import manifests
from tests.support.cluster.crashes import created, difference, end_state, kill_after_each_write, written_paths
from tests.support.cluster.killing_proxy import KillingProxy
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.operator_process import OperatorProcess
from tests.support.cluster.pod_actor import PodActor
from tests.support.cluster.retraining import NEWER, REQUEST, play, policy
from tests.support.cluster.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cluster.apiserver import InstalledPlane

pytestmark = pytest.mark.integration
MODEL_DEPLOYMENT, DRIFT_POLICY = RESOURCES.primary["ModelDeployment"], RESOURCES.primary["DriftPolicy"]
OBJECTS = 3
"""Number of objects before the retraining: a run, a deployment that serves its version, and a policy."""


def status(user: KubeUser, namespace: str, kind: str, name: str) -> dict[str, Any]:
    """The status of one of our objects."""
    found: dict[str, Any] = (user.get(RESOURCES.primary[kind], namespace, name) or {}).get("status", {})
    return found


def serves(user: KubeUser, namespace: str, digest: str) -> bool:
    """Whether every pod serves this version and no rollout is in progress."""
    found = status(user, namespace, "ModelDeployment", "serve")
    whole = (found.get("phase"), found.get("readyReplicas")) == ("Healthy", 1)
    return whole and found.get("stableRevision", {}).get("digest") == digest


def has_scraped(user: KubeUser, namespace: str) -> bool:
    """Whether the policy has scraped the pods, which do not answer. No status write follows without a request."""
    conditions = status(user, namespace, "DriftPolicy", "watch").get("conditions", ())
    return ("Ready", "ReferenceUnavailable") in [(entry["type"], entry["reason"]) for entry in conditions]


def closed(user: KubeUser, namespace: str) -> bool:
    """Whether the retraining has ended and its version is served."""
    episode = status(user, namespace, "DriftPolicy", "watch").get("episode", {})
    return episode.get("phase") == "Closed" and serves(user, namespace, NEWER)


def begin(user: KubeUser, namespace: str, process: OperatorProcess) -> None:
    """Wait until a first version is served and monitored."""
    user.create(manifests.training_job("first", namespace))
    user.create(manifests.model_deployment("serve", namespace))
    user.create(policy(namespace, scrapeInterval="5s"))
    assert eventually(lambda: serves(user, namespace, manifests.DIGEST)), process.tail()
    assert eventually(lambda: has_scraped(user, namespace)), process.tail()


def test_one_retraining_after_a_crash_at_each_write(own_plane: InstalledPlane, tmp_path: Path) -> None:
    """Crash points include the start of the episode, the creation of its TrainingJob and every phase in the status."""
    user = KubeUser(own_plane.kubeconfig)
    baseline, namespace = user.ensure_namespace("baseline"), user.ensure_namespace("crashing")
    with (
        KillingProxy(own_plane.operator_kubeconfig, tmp_path) as proxy,
        PodActor(user, baseline, play),
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "log") as process,
    ):
        begin(user, baseline, process)
        proxy.writes.clear()
        user.edit(DRIFT_POLICY, baseline, "watch", REQUEST)
        assert eventually(lambda: closed(user, baseline) and has_scraped(user, baseline)), process.tail()
        assert process.terminate() == 0, process.tail()
    wanted, baseline_writes = end_state(user, baseline), proxy.writes

    pods = threading.Event()
    pods.set()
    with (
        KillingProxy(own_plane.operator_kubeconfig, tmp_path) as proxy,
        PodActor(user, namespace, lambda pod: play(pod) if pods.is_set() else None),
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "log", election=False) as process,
    ):
        begin(user, namespace, process)
        pods.clear()
        proxy.writes.clear()
        user.edit(DRIFT_POLICY, namespace, "watch", REQUEST)
        starts = 2 * len(baseline_writes)
        kill_after_each_write(process, proxy, pods, lambda: closed(user, namespace), objects=OBJECTS, max_starts=starts)
        steps = [line for line in proxy.writes if "/driftpolicies/watch/status " in line]
        # Let the operator write its last Events without a crash.
        proxy.kill = None
        process.kill()
        process.start().wait_ready()
        settled = eventually(lambda: end_state(user, namespace) == wanted)
    assert settled, difference(end_state(user, namespace), wanted)
    assert len(steps) >= len(EpisodePhase), "a crash at each step of the episode"
    assert written_paths(proxy.writes, namespace) == written_paths(baseline_writes, baseline)
    assert created(own_plane, namespace) == created(own_plane, baseline)
    assert created(own_plane, namespace)["trainingjobs"] == 1
    found = status(user, namespace, "DriftPolicy", "watch")
    assert (found["episode"]["number"], found["episode"]["outcome"]) == (1, "LoopClosed")
    assert [entry["reason"] for entry in found["history"]].count("EpisodeOpened") == 1
