"""The operator with its own service account: no call is forbidden, and every right is used."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from perennate.api.wellknown import ANNOTATION_RETRAIN
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import JOB
from tests.support.cluster import manifests
from tests.support.cluster.apiserver import AuditEvent, ControlPlane, read_audit
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.operator_process import OperatorProcess
from tests.support.cluster.pod_actor import PodActor, play_success
from tests.support.cluster.waiting import eventually
from tests.support.cluster.windows import scraped, served, window_config_maps
from tools.cluster.programs import clients

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
NAMESPACE = "perennate-system"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:perennate-operator"
TENANT, QUIET, WATCHED = "tenant", "quiet", "watched"
Right = tuple[str, str]
"""Resource (with subresource) and verb."""

# The audit log contains no watches.
UNSEEN = {"watch"}
# Only read after a conflict of a creation or a status write, for example after a crash.
AFTER_CONFLICT = {("jobs", "get"), *((resource.plural, "get") for resource in RESOURCES.primary.values())}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server whose audit log has only this operator."""
    crds = sorted((ROOT / "crds").glob("*.yaml"))
    with ControlPlane(tmp_path_factory.mktemp("permissions"), crds=crds) as plane:
        yield plane


def kubectl(plane: ControlPlane, *arguments: str) -> str:
    """Run kubectl as an administrator and return its output."""
    command = [str(clients.compiled_kubectl() / "kubectl"), "--kubeconfig", str(plane.kubeconfig), *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def account_of_the_operator(plane: ControlPlane, folder: Path) -> Path:
    """Install the base and write a kubeconfig with a token of the operator's service account."""
    kubectl(plane, "apply", "--server-side", "--kustomize", "manifests/base")
    token = kubectl(plane, "create", "token", "perennate-operator", "--namespace", NAMESPACE)
    document = json.loads(plane.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": token}
    path = folder / "operator.kubeconfig"
    path.touch(mode=0o600)
    path.write_text(json.dumps(document))
    return path


def use_every_call(user: KubeUser) -> None:
    """Make the operator use every call: suspended, finished and expired runs, a rollout, a retraining, a window.

    Pods in the namespace `tenant` succeed at once, those in `quiet` never start, and the one in `watched` counts rows.
    """
    training, deployment, policy = (
        RESOURCES.primary[kind] for kind in ("TrainingJob", "ModelDeployment", "DriftPolicy")
    )
    user.create(manifests.training_job("held", QUIET))
    assert eventually(lambda: user.list(JOB, QUIET) != [])
    user.edit(training, QUIET, "held", {"spec": {"suspend": True}})
    assert eventually(lambda: user.list(JOB, QUIET)[0]["spec"]["suspend"])
    user.create(manifests.training_job("first", TENANT))
    user.create(manifests.training_job("brief", TENANT))
    user.wait_for(training, TENANT, "first", phase="Succeeded")
    user.wait_for(training, TENANT, "brief", phase="Succeeded")
    user.edit(training, TENANT, "brief", {"spec": {"ttlSecondsAfterFinished": 0}})
    assert eventually(lambda: user.get(training, TENANT, "brief") is None)
    user.create(manifests.model_deployment("served", TENANT))
    user.wait_for(deployment, TENANT, "served", phase="Healthy")
    retrain = manifests.template_of(manifests.training_job("next", TENANT))
    user.create(manifests.drift_policy("watch", TENANT, target="served", interval="1s", retrain=retrain))
    request = {"metadata": {"annotations": {ANNOTATION_RETRAIN: "2026-01-01T00:00:00Z"}}}
    user.edit(policy, TENANT, "watch", request)
    assert eventually(lambda: len(user.list(training, TENANT)) == 2), user.get(policy, TENANT, "watch")
    with served(user, WATCHED) as pod:
        assert eventually(lambda: scraped(user, WATCHED))
        pod.count(100)
        assert eventually(lambda: window_config_maps(user, WATCHED) != [])
        before = window_config_maps(user, WATCHED)
        pod.count(100)
        assert eventually(lambda: window_config_maps(user, WATCHED) != before)


@pytest.fixture(scope="module")
def calls(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> list[AuditEvent]:
    """Every API call that the operator made under its own account."""
    folder = tmp_path_factory.mktemp("account")
    user = KubeUser(plane.kubeconfig)
    for name in (TENANT, QUIET, WATCHED):
        user.ensure_namespace(name)
    kubeconfig = account_of_the_operator(plane, folder)
    log = folder / "log"
    with OperatorProcess(kubeconfig, log, namespace=NAMESPACE) as operator, PodActor(user, TENANT, play_success):
        use_every_call(user)
        assert operator.terminate() == 0
    return [call for call in read_audit(plane.audit_log) if call.user == ACCOUNT]


def rights() -> set[Right]:
    """Every resource and verb that the operator's roles grant."""
    documents: list[dict[str, Any]] = []
    for name in ("operator-role.yaml", "lease-role.yaml"):
        documents += yaml.safe_load_all((ROOT / "manifests" / "base" / name).read_text())
    rules = [rule for document in documents for rule in document.get("rules", ())]
    return {right for rule in rules for right in product(rule["resources"], rule["verbs"])}


def test_no_call_of_the_operator_is_forbidden(calls: list[AuditEvent]) -> None:
    assert len(calls) > 20
    assert [f"{call.verb} {call.resource} {call.namespace}/{call.name}" for call in calls if call.denied] == []


def test_every_granted_right_is_used(calls: list[AuditEvent]) -> None:
    """A server-side apply that creates its object (201) uses the right to create as well as to patch."""
    made = {(call.resource, "create") for call in calls if call.verb == "patch" and call.code == 201}
    used = made | {(call.resource, call.verb) for call in calls}
    assert {right for right in rights() - used - AFTER_CONFLICT if right[1] not in UNSEEN} == set()
