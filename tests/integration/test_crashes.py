"""The operator is killed after each write and restarted: it reaches the same state and repeats no action."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import JOB
from perennate.reconcilers.drift_policy.evaluation.rounding import two_digits
from tests.support.cluster import manifests
from tests.support.cluster.apiserver import read_audit
from tests.support.cluster.crashes import created, difference, end_state, kill_after_each_write, written_paths
from tests.support.cluster.killing_proxy import KillingProxy
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.operator_process import OperatorProcess
from tests.support.cluster.pod_actor import PodActor, play_success
from tests.support.cluster.waiting import eventually
from tests.support.cluster.windows import rows, scraped, served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cluster.apiserver import InstalledPlane

pytestmark = pytest.mark.integration
TRAINING_JOB, MODEL_DEPLOYMENT = RESOURCES.primary["TrainingJob"], RESOURCES.primary["ModelDeployment"]
OBJECTS = 2
KEPT = 2
"""Crash points right after a window was stored: its DriftWindow was created, or updated."""


def begin(user: KubeUser, namespace: str) -> None:
    """Create a run, and a deployment that follows its model line."""
    user.create(manifests.training_job("first", namespace))
    user.create(manifests.model_deployment("serve", namespace))


def done(user: KubeUser, namespace: str) -> bool:
    """Whether every pod serves the version of the run."""
    run = (user.get(TRAINING_JOB, namespace, "first") or {}).get("status", {})
    served = (user.get(MODEL_DEPLOYMENT, namespace, "serve") or {}).get("status", {})
    found = (run.get("phase"), served.get("phase"), served.get("readyReplicas"))
    return found == ("Succeeded", "Healthy", 1)


def test_final_state_is_the_same_after_a_crash_at_each_write(own_plane: InstalledPlane, tmp_path: Path) -> None:
    """No run is lost or started twice."""
    user = KubeUser(own_plane.kubeconfig)
    baseline, namespace = user.ensure_namespace("baseline"), user.ensure_namespace("crashing")
    begin(user, baseline)
    with (
        KillingProxy(own_plane.operator_kubeconfig, tmp_path) as proxy,
        PodActor(user, baseline, play_success),
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "log") as process,
    ):
        assert eventually(lambda: done(user, baseline)), process.tail()
        assert process.terminate() == 0, process.tail()
    wanted, baseline_writes = end_state(user, baseline), proxy.writes

    begin(user, namespace)
    gate = threading.Event()
    with (
        KillingProxy(own_plane.operator_kubeconfig, tmp_path) as proxy,
        PodActor(user, namespace, lambda pod: play_success(pod) if gate.is_set() else None),
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "log", election=False) as process,
    ):
        starts = 2 * len(baseline_writes)
        kill_after_each_write(process, proxy, gate, lambda: done(user, namespace), objects=OBJECTS, max_starts=starts)
    # Events follow the status, so the operator is killed before it creates one. It was killed after every other kind
    # of write.
    assert written_paths(proxy.writes, namespace) == written_paths(baseline_writes, baseline)
    found = end_state(user, namespace)
    assert found == wanted, difference(found, wanted)
    assert created(own_plane, namespace) == created(own_plane, baseline)


def test_an_unrecorded_job_that_is_deleted_never_started(own_plane: InstalledPlane, tmp_path: Path) -> None:
    """The Job is deleted after the operator created it and crashed, before the status recorded the Job.

    The restarted operator does not know the first Job and creates another with the same name. There is still only one
    training pod, because a Job is created suspended and resumed only by a pass that finds it in the status.
    """
    user = KubeUser(own_plane.kubeconfig)
    namespace = user.ensure_namespace("gap")
    with (
        KillingProxy(own_plane.operator_kubeconfig, tmp_path) as proxy,
        PodActor(user, namespace, play_success),
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "log", election=False) as process,
    ):
        proxy.kill = lambda: process.send_sigkill() if "/jobs " in proxy.writes[-1] else None
        begin(user, namespace)
        assert eventually(lambda: process.exit_code is not None), process.tail()
        proxy.kill = None
        (job,) = user.list(JOB, namespace)
        assert (user.get(TRAINING_JOB, namespace, "first") or {}).get("status", {}).get("jobRef") is None
        assert eventually(lambda: "Suspended" in str(user.list(JOB, namespace))), "the controller has seen the Job"
        user.call("DELETE", JOB.path(namespace, job["metadata"]["name"]), {"propagationPolicy": "Background"})
        assert eventually(lambda: user.list(JOB, namespace) == [])
        process.start()
        assert eventually(lambda: done(user, namespace)), process.tail()
        (again,) = user.list(JOB, namespace)
    assert again["metadata"]["name"] == job["metadata"]["name"]
    assert again["metadata"]["uid"] != job["metadata"]["uid"]
    pods = [event for event in read_audit(own_plane.audit_log) if event.namespace == namespace]
    made = [event for event in pods if (event.verb, event.resource, event.code) == ("create", "pods", 201)]
    assert len(made) == 2, "one training pod and one serving pod"


def test_rows_are_counted_once_after_a_crash_at_each_write_of_the_window(
    own_plane: InstalledPlane, tmp_path: Path
) -> None:
    """Rows arrive all the time. None is lost or counted twice."""
    user = KubeUser(own_plane.kubeconfig)
    namespace = user.ensure_namespace("window")
    with (
        KillingProxy(own_plane.operator_kubeconfig, tmp_path) as proxy,
        served(user, namespace, window="8m") as pod,
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "log", election=False) as process,
    ):
        assert eventually(lambda: scraped(user, namespace)), process.tail()
        pod.count(100)
        assert eventually(lambda: rows(user, namespace) == 100), process.tail()
        proxy.writes.clear()
        proxy.kill = process.send_sigkill
        starts = 0
        while sum("/driftwindows" in line for line in proxy.writes) < KEPT:
            starts += 1
            assert starts <= 20 * KEPT, proxy.writes
            if starts == 1 or "/driftwindows" in proxy.writes[-1]:
                pod.count(10)  # Otherwise the write of the row count would kill it before it stores the window.
            if process.exit_code is not None:
                process.start()
            assert eventually(lambda: process.exit_code is not None), f"start {starts}: {process.tail()}"
        proxy.kill = None
        process.start().wait_ready()
        assert eventually(lambda: rows(user, namespace) == pod.rows), (pod.rows, rows(user, namespace))
        pod.count(500)
        assert eventually(lambda: rows(user, namespace) == two_digits(pod.rows)), process.tail()
    assert created(own_plane, namespace)["driftwindows"] == 1
