"""The operator is killed after each of its writes and started again: the same end, and nothing twice."""

from __future__ import annotations

import difflib
import json
import re
import threading
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from perennate.kube.resources import DEPLOYMENT, JOB, OURS, SERVICE
from perennate.reconcilers.drift_policy.rounding import two_digits
from tests.cluster.processes import wait_until
from tests.support import manifests
from tests.support.apiserver import read_audit
from tests.support.killing_proxy import KillingProxy
from tests.support.kube_user import KubeUser
from tests.support.operator_process import OperatorProcess
from tests.support.pod_actor import PodActor, play_well
from tests.support.windows import rows, served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.apiserver import ControlPlane

pytestmark = pytest.mark.integration
TRAINING_JOB, MODEL_DEPLOYMENT = OURS["TrainingJob"], OURS["ModelDeployment"]
OBJECTS = 2
KEPT = 2
"""Deaths right after a window was kept: by the creation of its place, and by writing over it."""
VOLATILE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\bfirst-[0-9a-f]{8}\b")


def masked(value: Any, namespace: str) -> Any:
    """A status without what differs between any two worlds: times, uids, names made of uids, the namespace."""
    if isinstance(value, dict):
        return {name: masked(child, namespace) for name, child in sorted(value.items())}
    if isinstance(value, list):
        return [masked(child, namespace) for child in value]
    return VOLATILE.sub("*", value).replace(namespace, "ns") if isinstance(value, str) else value


def end_state(user: KubeUser, namespace: str) -> Any:
    """What there is at the end: the statuses, and the children's specs."""
    statuses = [
        masked((user.get(kind, namespace, name) or {}).get("status"), namespace)
        for kind, name in ((TRAINING_JOB, "first"), (MODEL_DEPLOYMENT, "serve"))
    ]
    counts = {kind.kind: len(user.list(kind, namespace)) for kind in (JOB, DEPLOYMENT, SERVICE, *OURS.values())}
    deployment = user.get(DEPLOYMENT, namespace, "serve") or {}
    return {"statuses": statuses, "counts": counts, "spec": masked(deployment.get("spec"), namespace)}


def difference(found: Any, wanted: Any) -> str:
    """What differs, line by line."""
    before, after = (json.dumps(side, indent=1).splitlines() for side in (wanted, found))
    return "\n".join(difflib.unified_diff(before, after, "wanted", "found", lineterm="", n=1))


def begin(user: KubeUser, namespace: str) -> None:
    """A run, and a deployment that follows its line."""
    user.create(manifests.training_job("first", namespace))
    user.create(manifests.model_deployment("serve", namespace))


def done(user: KubeUser, namespace: str) -> bool:
    """Whether the run's version is served."""
    run = (user.get(TRAINING_JOB, namespace, "first") or {}).get("status", {})
    served = (user.get(MODEL_DEPLOYMENT, namespace, "serve") or {}).get("status", {})
    found = (run.get("phase"), served.get("phase"), served.get("readyReplicas"))
    return found == ("Succeeded", "Healthy", 1)


def created(plane: ControlPlane, namespace: str) -> Counter[str]:
    """How many objects of each kind the operator created, from the API server's own record."""
    events = [event for event in read_audit(plane.audit_log) if event.namespace == namespace]
    made = [event for event in events if event.agent.startswith("perennate") and event.code == 201]
    return Counter(event.resource for event in made if event.resource not in {"events", "leases"})


def test_killed_after_each_write_it_reaches_the_same_end_and_does_nothing_twice(
    own_plane: ControlPlane, tmp_path: Path
) -> None:
    """It is safe to kill the operator at any time: no run is lost or started twice, whatever it had just written."""
    user = KubeUser(own_plane.kubeconfig)
    calm, namespace = user.ensure_namespace("calm"), user.ensure_namespace("deadly")
    begin(user, calm)
    with (
        KillingProxy(own_plane.kubeconfig, tmp_path) as proxy,
        PodActor(user, calm, play_well),
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "log", namespace=calm) as process,
    ):
        assert wait_until(lambda: done(user, calm), seconds=40), process.tail()
        assert process.terminate() == 0, process.tail()
    wanted, calm_writes = end_state(user, calm), proxy.writes

    begin(user, namespace)
    gate, lives = threading.Event(), 0
    with (
        KillingProxy(own_plane.kubeconfig, tmp_path) as proxy,
        PodActor(user, namespace, lambda pod: play_well(pod) if gate.is_set() else None),
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "log", namespace=namespace, election=False) as process,
    ):
        proxy.kill = process.strike
        while not done(user, namespace):
            lives += 1
            assert lives <= 2 * len(calm_writes), f"it does not come to an end: {proxy.writes}"
            if process.exit_code is not None:
                gate.clear()
                process.start()
            # It dies of its next write; if it has none to make, it is the pods' turn.
            if not wait_until(lambda: process.exit_code is not None or quiet(process), seconds=60):
                raise AssertionError(process.tail())
            if process.exit_code is None:
                gate.set()
                assert wait_until(lambda: process.exit_code is not None or done(user, namespace), seconds=60)
    # Events are told after the status, so it never lives to tell one; every other kind of write was one that it died
    # of.
    assert places(proxy.writes, namespace) == places(calm_writes, calm)
    found = end_state(user, namespace)
    assert found == wanted, difference(found, wanted)
    assert created(own_plane, namespace) == created(own_plane, calm)


def test_a_job_that_vanishes_before_anybody_knows_of_it_has_run_nothing(
    own_plane: ControlPlane, tmp_path: Path
) -> None:
    """Killed between the Job and the status, and the Job deleted by a person in that gap: still one pod in all.

    The next operator cannot know of the first Job and makes another of the same name. That is no second run, because a
    Job starts suspended and is let go only by a pass that finds it in the status.
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
        assert wait_until(lambda: process.exit_code is not None, seconds=40), process.tail()
        proxy.kill = None
        (job,) = user.list(JOB, namespace)
        assert (user.get(TRAINING_JOB, namespace, "first") or {}).get("status", {}).get("jobRef") is None
        assert wait_until(lambda: "Suspended" in str(user.list(JOB, namespace)), seconds=20), "seen by its controller"
        user.call("DELETE", JOB.path(namespace, job["metadata"]["name"]), {"propagationPolicy": "Background"})
        assert wait_until(lambda: user.list(JOB, namespace) == [], seconds=20)
        process.start()
        assert wait_until(lambda: done(user, namespace), seconds=60), process.tail()
        (again,) = user.list(JOB, namespace)
    assert again["metadata"]["name"] == job["metadata"]["name"]
    assert again["metadata"]["uid"] != job["metadata"]["uid"]
    pods = [event for event in read_audit(own_plane.audit_log) if event.namespace == namespace]
    made = [event for event in pods if (event.verb, event.resource, event.code) == ("create", "pods", 201)]
    assert len(made) == 2, "one of the run, one that serves"


def test_killed_after_each_write_of_its_window_it_counts_every_row_once(
    own_plane: ControlPlane, tmp_path: Path
) -> None:
    """Rows come in all the while; whatever was just written when it died, none is lost and none is counted twice."""
    user = KubeUser(own_plane.kubeconfig)
    namespace = user.ensure_namespace("window")
    with (
        KillingProxy(own_plane.kubeconfig, tmp_path) as proxy,
        served(user, namespace) as pod,
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "log", namespace=namespace, election=False) as process,
    ):
        pod.count(100)
        assert wait_until(lambda: rows(user, namespace) == 100, seconds=60), process.tail()
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
            assert wait_until(lambda: process.exit_code is not None, seconds=60), f"life {lives}: {process.tail()}"
        proxy.kill = None
        process.start().wait_ready()
        assert wait_until(lambda: rows(user, namespace) == pod.rows, seconds=30), (pod.rows, rows(user, namespace))
        pod.count(500)
        assert wait_until(lambda: rows(user, namespace) == two_digits(pod.rows), seconds=30), process.tail()
    assert created(own_plane, namespace)["configmaps"] == 1


def places(writes: list[str], namespace: str) -> set[str]:
    """What was written, without names made of uids, answers and Events."""
    masks = (masked(line.rsplit(" ", 1)[0], namespace) for line in writes)
    return {line for line in masks if "/events" not in line}


def quiet(process: OperatorProcess) -> bool:
    """Whether the operator is ready and has looked at everything since it started."""
    if process.probe("/readyz")[0] != HTTPStatus.OK:
        return False
    values = dict(line.rsplit(" ", 1) for line in process.metrics().splitlines() if not line.startswith("#"))
    looked = sum(float(value) for name, value in values.items() if name.startswith("perennate_reconcile_total"))
    return looked >= OBJECTS and float(values["perennate_workqueue_oldest_seconds"]) == 0
