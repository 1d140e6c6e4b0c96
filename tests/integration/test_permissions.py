"""The operator with its own service account: no call is forbidden, and every right is used."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from perennate.api.wellknown import ANNOTATION_RETRAIN
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import JOB
from tests.support.chart import LOCAL, render
from tests.support.cluster import manifests
from tests.support.cluster.apiserver import (
    BASE,
    OPERATOR_ACCOUNT,
    OPERATOR_NAMESPACE,
    AuditEvent,
    InstalledPlane,
    read_audit,
)
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.operator_process import OperatorProcess
from tests.support.cluster.pod_actor import PodActor, play_success
from tests.support.cluster.waiting import eventually
from tests.support.cluster.windows import drift_windows, scraped, served
from tools.cluster.programs import clients

pytestmark = pytest.mark.integration

TENANT, QUIET, WATCHED = "tenant", "quiet", "watched"
NAMESPACES = [TENANT, QUIET, WATCHED]
Right = tuple[str, str]
"""Resource (with subresource) and verb."""

# The audit log contains no watches.
UNSEEN = {"watch"}
# Only read after a conflict of a creation or a status write, for example after a crash.
AFTER_CONFLICT = {("jobs", "get"), *((resource.plural, "get") for resource in RESOURCES.primary.values())}


@dataclass(frozen=True)
class Installation:
    """An API server, settings of the operator, and what is installed for it."""

    plane: InstalledPlane
    settings: dict[str, str]
    roles: list[dict[str, Any]]


def all_namespaces(folder: Path) -> Installation:
    """The manifests of the base: a ClusterRole."""
    texts = ((BASE / f"{name}.yaml").read_text() for name in ("operator-role", "lease-role"))
    return Installation(InstalledPlane(folder), {}, [one for text in texts for one in yaml.safe_load_all(text)])


def some_namespaces(folder: Path) -> Installation:
    """The chart with watchNamespaces: a Role in each of them."""
    plane = InstalledPlane(folder, installed=("namespace",))
    names = ",".join(NAMESPACES)
    return Installation(plane, {"PERENNATE_WATCH_NAMESPACES": names}, chart_objects(folder.parent))


def chart_objects(home: Path) -> list[dict[str, Any]]:
    """What the chart installs with `NAMESPACES`, but its Deployment."""
    helm = str(clients.compiled_kubectl() / "helm")
    found = yaml.safe_load_all(render(helm, home, LOCAL | {"watchNamespaces": NAMESPACES}))
    return [one for one in found if one and one["kind"] != "Deployment"]


@pytest.fixture(scope="module", params=[all_namespaces, some_namespaces])
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An API server whose audit log has only this operator."""
    found: Installation = request.param(tmp_path_factory.mktemp("permissions") / "plane")
    with found.plane as plane:
        user = KubeUser(plane.kubeconfig)
        for name in NAMESPACES:
            user.ensure_namespace(name)
        if found.settings:
            plane.apply(yaml.safe_dump_all(found.roles))
        yield found


def kubeconfig_with_token(plane: InstalledPlane, folder: Path) -> Path:
    """A kubeconfig with a token of the operator's service account."""
    command = [*plane.kubectl, "create", "token", "perennate-operator", "--namespace", OPERATOR_NAMESPACE]
    token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
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
        assert eventually(lambda: drift_windows(user, WATCHED) != [])
        before = drift_windows(user, WATCHED)
        pod.count(100)
        assert eventually(lambda: drift_windows(user, WATCHED) != before)


@pytest.fixture(scope="module")
def calls(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> list[AuditEvent]:
    """Every API call that the operator made under its own account."""
    folder = tmp_path_factory.mktemp("account")
    user = KubeUser(installation.plane.kubeconfig)
    kubeconfig = kubeconfig_with_token(installation.plane, folder)
    with (
        OperatorProcess(kubeconfig, folder / "log", settings=installation.settings) as operator,
        PodActor(user, TENANT, play_success),
    ):
        use_every_call(user)
        assert operator.terminate() == 0
    return [call for call in read_audit(installation.plane.audit_log) if call.user == OPERATOR_ACCOUNT]


def rights(roles: list[dict[str, Any]]) -> set[Right]:
    """Every resource and verb that the operator's roles grant."""
    of_operator = [one for one in roles if "perennate-operator" in one["metadata"]["name"]]
    rules = [rule for document in of_operator for rule in document.get("rules", ())]
    return {right for rule in rules for right in product(rule["resources"], rule["verbs"])}


def test_no_call_of_the_operator_is_forbidden(calls: list[AuditEvent]) -> None:
    """Neither by its roles nor by the admission policy."""
    assert len(calls) > 20
    forbidden = [call for call in calls if call.denied or call.code == 403]
    assert [f"{call.verb} {call.resource} {call.namespace}/{call.name}" for call in forbidden] == []


def test_every_granted_right_is_used(calls: list[AuditEvent], installation: Installation) -> None:
    """A server-side apply that creates its object (201) uses the right to create as well as to patch."""
    made = {(call.resource, "create") for call in calls if call.verb == "patch" and call.code == 201}
    used = made | {(call.resource, call.verb) for call in calls}
    granted = rights(installation.roles)
    assert {right for right in granted - used - AFTER_CONFLICT if right[1] not in UNSEEN} == set()


def test_with_watched_namespaces_every_call_is_in_one_of_them(
    calls: list[AuditEvent], installation: Installation
) -> None:
    """Except for the Lease. Without them, only LIST and WATCH have no namespace."""
    namespaces = {call.namespace for call in calls if call.resource and call.resource != "leases"}
    assert namespaces == {*NAMESPACES, *([] if installation.settings else [""])}
