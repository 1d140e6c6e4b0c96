"""The operator is killed after each of its writes and restarted: it reaches the same state and does nothing twice."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import JOB
from perennate.reconcilers.drift_policy.evaluation.rounding import two_digits
from tests.support.cluster import manifests
from tests.support.cluster.apiserver import read_audit
from tests.support.cluster.deaths import created, die_of_each_write, difference, end_state, places
from tests.support.cluster.killing_proxy import KillingProxy
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.operator_process import OperatorProcess
from tests.support.cluster.pod_actor import PodActor, play_well
from tests.support.cluster.waiting import eventually
from tests.support.cluster.windows import rows, scraped, served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cluster.apiserver import ControlPlane

pytestmark = pytest.mark.integration
TRAINING_JOB, MODEL_DEPLOYMENT = RESOURCES.primary["TrainingJob"], RESOURCES.primary["ModelDeployment"]
OBJECTS = 2
KEPT = 2
"""Deaths right after a window was kept: by the creation of its place, and by writing over it."""


def begin(user: KubeUser, namespace: str) -> None:
    """Create a run, and a deployment that follows its line."""
    user.create(manifests.training_job("first", namespace))
    user.create(manifests.model_deployment("serve", namespace))


def done(user: KubeUser, namespace: str) -> bool:
    """Whether the run's version is served."""
    run = (user.get(TRAINING_JOB, namespace, "first") or {}).get("status", {})
    served = (user.get(MODEL_DEPLOYMENT, namespace, "serve") or {}).get("status", {})
    found = (run.get("phase"), served.get("phase"), served.get("readyReplicas"))
    return found == ("Succeeded", "Healthy", 1)


def test_killed_after_each_write_it_reaches_the_same_end_and_does_nothing_twice(
    own_plane: ControlPlane, tmp_path: Path
) -> None:
    """No run is lost or started twice, whatever the operator had just written when it was killed."""
    user = KubeUser(own_plane.kubeconfig)
    calm, namespace = user.ensure_namespace("calm"), user.ensure_namespace("deadly")
    begin(user, calm)
    with (
        KillingProxy(own_plane.kubeconfig, tmp_path) as proxy,
        PodActor(user, calm, play_well),
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "log", namespace=calm) as process,
    ):
        assert eventually(lambda: done(user, calm)), process.tail()
        assert process.terminate() == 0, process.tail()
    wanted, calm_writes = end_state(user, calm), proxy.writes

    begin(user, namespace)
    gate = threading.Event()
    with (
        KillingProxy(own_plane.kubeconfig, tmp_path) as proxy,
        PodActor(user, namespace, lambda pod: play_well(pod) if gate.is_set() else None),
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "log", namespace=namespace, election=False) as process,
    ):
        lives = 2 * len(calm_writes)
        die_of_each_write(process, proxy, gate, lambda: done(user, namespace), objects=OBJECTS, at_most=lives)
    # Events are told after the status, so it never lives to tell one; every other kind of write was one that it died
    # of.
    assert places(proxy.writes, namespace) == places(calm_writes, calm)
    found = end_state(user, namespace)
    assert found == wanted, difference(found, wanted)
    assert created(own_plane, namespace) == created(own_plane, calm)


def test_a_job_that_vanishes_before_anybody_knows_of_it_has_run_nothing(
    own_plane: ControlPlane, tmp_path: Path
) -> None:
    """The Job is deleted after the operator created it and died, before it recorded the Job: one training pod in all.

    The next operator cannot know of the first Job and creates another with the same name. The run still starts only
    once, because a Job is created suspended and resumed only by a pass that finds it in the status.
    """
    user = KubeUser(own_plane.kubeconfig)
    namespace = user.ensure_namespace("gap")
    with (
        KillingProxy(own_plane.kubeconfig, tmp_path) as proxy,
        PodActor(user, namespace, play_well),
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "log", election=False) as process,
    ):
        proxy.kill = lambda: process.strike() if "/jobs " in proxy.writes[-1] else None
        begin(user, namespace)
        assert eventually(lambda: process.exit_code is not None), process.tail()
        proxy.kill = None
        (job,) = user.list(JOB, namespace)
        assert (user.get(TRAINING_JOB, namespace, "first") or {}).get("status", {}).get("jobRef") is None
        assert eventually(lambda: "Suspended" in str(user.list(JOB, namespace))), "seen by its controller"
        user.call("DELETE", JOB.path(namespace, job["metadata"]["name"]), {"propagationPolicy": "Background"})
        assert eventually(lambda: user.list(JOB, namespace) == [])
        process.start()
        assert eventually(lambda: done(user, namespace)), process.tail()
        (again,) = user.list(JOB, namespace)
    assert again["metadata"]["name"] == job["metadata"]["name"]
    assert again["metadata"]["uid"] != job["metadata"]["uid"]
    pods = [event for event in read_audit(own_plane.audit_log) if event.namespace == namespace]
    made = [event for event in pods if (event.verb, event.resource, event.code) == ("create", "pods", 201)]
    assert len(made) == 2, "one of the run, one that serves"


def test_killed_after_each_write_of_its_window_it_counts_every_row_once(
    own_plane: ControlPlane, tmp_path: Path
) -> None:
    """Rows arrive all the time; no row is lost or counted twice, whatever the operator had just written."""
    user = KubeUser(own_plane.kubeconfig)
    namespace = user.ensure_namespace("window")
    with (
        KillingProxy(own_plane.kubeconfig, tmp_path) as proxy,
        served(user, namespace, window="8m") as pod,
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "log", namespace=namespace, election=False) as process,
    ):
        assert eventually(lambda: scraped(user, namespace)), process.tail()
        pod.count(100)
        assert eventually(lambda: rows(user, namespace) == 100), process.tail()
        proxy.writes.clear()
        proxy.kill = process.strike
        lives = 0
        while sum("/configmaps" in line for line in proxy.writes) < KEPT:
            lives += 1
            assert lives <= 20 * KEPT, proxy.writes
            if lives == 1 or "/configmaps" in proxy.writes[-1]:
                pod.count(10)  # Otherwise it would die of telling their number, and never live to keep them.
            if process.exit_code is not None:
                process.start()
            assert eventually(lambda: process.exit_code is not None), f"life {lives}: {process.tail()}"
        proxy.kill = None
        process.start().wait_ready()
        assert eventually(lambda: rows(user, namespace) == pod.rows), (pod.rows, rows(user, namespace))
        pod.count(500)
        assert eventually(lambda: rows(user, namespace) == two_digits(pod.rows)), process.tail()
    assert created(own_plane, namespace)["configmaps"] == 1
