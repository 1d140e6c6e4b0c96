"""Two operators: leader election keeps one on standby, and without it no action is repeated."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path

import pytest

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.lease import LEASE_NAME
from perennate.kube.runtime.resources import JOB, LEASE
from tests.support.cluster import manifests
from tests.support.cluster.apiserver import OPERATOR_NAMESPACE, InstalledPlane, read_audit
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.operator_process import OperatorProcess
from tests.support.cluster.pod_actor import PodActor, play_success
from tests.support.cluster.waiting import eventually
from tools.cluster.host.processes import wait_until

pytestmark = pytest.mark.integration
TRAINING_JOB, MODEL_DEPLOYMENT, DRIFT_POLICY = (
    RESOURCES.primary["TrainingJob"],
    RESOURCES.primary["ModelDeployment"],
    RESOURCES.primary["DriftPolicy"],
)
RUNS = 5
REST_SECONDS = 60.0
EVALUATION_SECONDS = 5


# The loop handles the signal after the election and before kopf, which handles signals itself.
SIGNALLED_AFTER_ELECTION = """
import asyncio, os, signal, sys
from perennate.controllers import __main__ as controllers

kopf_operator = controllers.kopf.operator

async def signalled(**arguments):
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0.1)
    await kopf_operator(**arguments)

controllers.kopf.operator = signalled
sys.exit(controllers.main(os.environ))
"""


def test_two_operators_without_leader_election_repeat_no_action(tmp_path: Path, own_plane: InstalledPlane) -> None:
    """Leader election can fail, so names, preconditions and live reads must prevent duplicates."""
    user = KubeUser(own_plane.kubeconfig)
    namespace = user.ensure_namespace("both")
    with ExitStack() as stack:
        for number in range(2):
            log = tmp_path / f"log-{number}"
            process = OperatorProcess(own_plane.operator_kubeconfig, log, identity=f"operator-{number}", election=False)
            stack.enter_context(process)
        stack.enter_context(PodActor(user, namespace, play_success))
        user.create(manifests.model_deployment("serve", namespace))
        for number in range(RUNS):
            user.create(manifests.training_job(f"run-{number}", namespace))
        for number in range(RUNS):
            user.wait_for(TRAINING_JOB, namespace, f"run-{number}", phase="Succeeded")
        user.wait_for(MODEL_DEPLOYMENT, namespace, "serve", phase="Healthy", readyReplicas=1)
        expected = Counter({"RunStarted": 1, "VersionPublished": 1})
        # Events are created after the status.
        assert eventually(lambda: user.reasons(namespace, "run-0") >= expected)
    made = [event for event in read_audit(own_plane.audit_log) if event.namespace == namespace and event.code == 201]
    ours = Counter((event.resource, event.name) for event in made if event.agent.startswith("perennate-operator"))
    assert sum(number for (resource, _), number in ours.items() if resource == "jobs") == RUNS
    assert {name: number for (resource, name), number in ours.items() if resource != "events" and number > 1} == {}
    reasons = user.reasons(namespace, "run-0")
    assert reasons >= expected
    assert set(reasons.values()) == {1}, reasons
    assert len(user.list(JOB, namespace)) == RUNS


def test_only_leases_are_written_at_rest_and_a_standby_takes_over(tmp_path: Path, own_plane: InstalledPlane) -> None:
    """With one settled object of each kind, the operators write only Lease renewals in 60 s.

    Then the leader is killed. The standby leads once the Lease has expired, and writes nothing else.
    """
    user = KubeUser(own_plane.kubeconfig)
    namespace = user.ensure_namespace("rest")
    operators = [
        OperatorProcess(own_plane.operator_kubeconfig, tmp_path / f"log-{number}", identity=f"operator-{number}")
        for number in range(2)
    ]
    with ExitStack() as stack:
        for process in operators:
            stack.enter_context(process)
        with PodActor(user, namespace, play_success):
            user.create(manifests.training_job("run", namespace))
            user.create(manifests.model_deployment("serve", namespace))
            policy = manifests.drift_policy(
                "watch", namespace, target="serve", interval=f"{EVALUATION_SECONDS}s", scrapeInterval="1s"
            )
            user.create(policy)
            user.wait_for(TRAINING_JOB, namespace, "run", phase="Succeeded")
            user.wait_for(MODEL_DEPLOYMENT, namespace, "serve", phase="Healthy", readyReplicas=1)
            assert eventually(lambda: settled(user, namespace))
        offset = own_plane.audit_log.stat().st_size
        wait_until(lambda: any(process.exit_code is not None for process in operators), seconds=REST_SECONDS, pause=1)
        writes = writes_of_operators(own_plane, offset)
        assert set(writes) == {"update leases"}, writes
        assert [process.probe("/healthz")[0] for process in operators] == [HTTPStatus.OK] * 2
        holder = holder_of_lease(user)
        leader = next(process for process in operators if process.identity == holder)
        leader.kill()
        assert eventually(lambda: holder_of_lease(user) not in ("", holder), pause=0.5)
        survivor = next(process for process in operators if process is not leader)
        assert eventually(lambda: "Ready:" in str(survivor.records())), survivor.tail()
        assert set(writes_of_operators(own_plane, offset)) == {"update leases"}
        third = OperatorProcess(own_plane.operator_kubeconfig, tmp_path / "log-2", identity="operator-2")
        with third:
            assert third.terminate() == 0, "a standby exits on SIGTERM"
        assert holder_of_lease(user) == survivor.identity
        assert survivor.terminate() == 0, survivor.tail()
        assert holder_of_lease(user) == ""


def test_a_signal_just_after_the_election_ends_the_operator_and_releases_the_lease(
    tmp_path: Path, own_plane: InstalledPlane
) -> None:
    process = OperatorProcess(own_plane.operator_kubeconfig, tmp_path / "log", program=("-c", SIGNALLED_AFTER_ELECTION))
    process.start()
    try:
        assert eventually(lambda: process.exit_code is not None)
        assert process.exit_code == 0, process.tail()
        lease = KubeUser(own_plane.kubeconfig).get(LEASE, OPERATOR_NAMESPACE, LEASE_NAME)
        assert lease is not None, "the operator was elected"
        assert not lease["spec"].get("holderIdentity")
    finally:
        process.kill()


def settled(user: KubeUser, namespace: str) -> bool:
    """Whether the policy has been evaluated twice without a change of its status."""
    policy = user.get(DRIFT_POLICY, namespace, "watch") or {}
    version = policy["metadata"]["resourceVersion"]
    changed = wait_until(
        lambda: (user.get(DRIFT_POLICY, namespace, "watch") or {})["metadata"]["resourceVersion"] != version,
        seconds=2 * EVALUATION_SECONDS,
        pause=0.5,
    )
    return not changed and "ReferenceUnavailable" in str(policy["status"])


def writes_of_operators(plane: InstalledPlane, offset: int) -> Counter[str]:
    """What the operators wrote since byte `offset` of the audit log."""
    events = read_audit(plane.audit_log, offset=offset)
    ours = (event for event in events if event.writes and event.agent.startswith("perennate-operator"))
    return Counter(f"{event.verb} {event.resource}" for event in ours)


def holder_of_lease(user: KubeUser) -> str:
    """The holder of the Lease."""
    lease = user.get(LEASE, OPERATOR_NAMESPACE, LEASE_NAME) or {}
    return str(lease.get("spec", {}).get("holderIdentity", ""))
