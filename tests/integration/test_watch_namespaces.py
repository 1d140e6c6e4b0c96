"""An operator that watches some namespaces, of which one does not exist, one is forbidden and one is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import JOB
from tests.support.chart import LOCAL, render
from tests.support.cluster import manifests
from tests.support.cluster.apiserver import InstalledPlane
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.operator_process import OperatorProcess
from tests.support.cluster.pod_actor import PodActor, play_success
from tests.support.cluster.waiting import eventually
from tools.cluster.programs import clients

pytestmark = pytest.mark.integration

TRAINING_JOB = RESOURCES.primary["TrainingJob"]
SERVED, LATER, DOOMED, NEVER, OTHER = "served", "later", "doomed", "never", "other"


def installed(namespaces: list[str], home: Path) -> str:
    """What the chart installs for these namespaces, but the operator's Deployment."""
    helm = str(clients.compiled_kubectl() / "helm")
    found = yaml.safe_load_all(render(helm, home, LOCAL | {"watchNamespaces": namespaces}))
    return yaml.safe_dump_all(one for one in found if one and one["kind"] != "Deployment")


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[InstalledPlane]:
    """An API server on which the operator has roles in two namespaces."""
    with InstalledPlane(tmp_path / "plane", installed=("namespace",)) as plane:
        user = KubeUser(plane.kubeconfig)
        for name in (SERVED, DOOMED, OTHER):
            user.ensure_namespace(name)
        plane.apply(installed([SERVED, DOOMED], tmp_path))
        yield plane


def condition(user: KubeUser, name: str) -> dict[str, Any]:
    """The summary condition of a TrainingJob in `served`."""
    status = (user.get(TRAINING_JOB, SERVED, name) or {}).get("status", {})
    found: list[dict[str, Any]] = [one for one in status.get("conditions", []) if one["type"] == "Complete"]
    return found[0] if found else {}


def without_jobs(plane: InstalledPlane, *, allowed: bool) -> None:
    """Allow or forbid the operator to create Jobs in `served`."""
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{SERVED}/roles/perennate-operator"
    user = KubeUser(plane.kubeconfig)
    rules = user.call("GET", path)["rules"]
    for rule in rules:
        if rule["resources"] == ["jobs"]:
            rule["verbs"] = ["get", "list", "watch", "patch", *(["create"] if allowed else [])]
    user.call("PATCH", path, {"rules": rules})


def test_one_namespace_does_not_stop_the_others(plane: InstalledPlane, tmp_path: Path) -> None:
    """Objects in other namespaces are left alone. A namespace is served as soon as it has a role."""
    user = KubeUser(plane.kubeconfig)
    settings = {"PERENNATE_WATCH_NAMESPACES": f"{SERVED},{LATER},{DOOMED},{NEVER}"}
    user.create(manifests.training_job("run", OTHER))
    user.create(manifests.training_job("first", SERVED))
    with (
        OperatorProcess(plane.operator_kubeconfig, tmp_path / "log", settings=settings) as operator,
        PodActor(user, SERVED, play_success),
    ):
        user.wait_for(TRAINING_JOB, SERVED, "first", phase="Succeeded")
        log = operator.log.read_text()
        assert f"Namespace {NEVER} is not watched" in log
        assert f"to list and watch driftpolicies in namespace {LATER}" in log
        user.create(manifests.training_job("run", DOOMED))
        assert eventually(lambda: user.list(JOB, DOOMED) != [])
        user.call("DELETE", f"/api/v1/namespaces/{DOOMED}")
        user.ensure_namespace(LATER)
        plane.apply(installed([SERVED, LATER], tmp_path))
        user.create(manifests.training_job("run", LATER))
        assert eventually(lambda: user.list(JOB, LATER) != []), operator.tail()
        user.create(manifests.training_job("second", SERVED))
        user.wait_for(TRAINING_JOB, SERVED, "second", phase="Succeeded")
        assert operator.probe("/healthz")[0] == operator.probe("/readyz")[0] == 200
        assert user.list(JOB, OTHER) == []
        assert "status" not in (user.get(TRAINING_JOB, OTHER, "run") or {})
        assert operator.terminate() == 0


def test_a_missing_right_is_reported_in_the_status_until_it_is_granted(plane: InstalledPlane, tmp_path: Path) -> None:
    user = KubeUser(plane.kubeconfig)
    without_jobs(plane, allowed=False)
    settings = {"PERENNATE_WATCH_NAMESPACES": SERVED}
    with OperatorProcess(plane.operator_kubeconfig, tmp_path / "log", settings=settings) as operator:
        user.create(manifests.training_job("run", SERVED))
        assert eventually(lambda: condition(user, "run").get("reason") == "Forbidden"), operator.tail()
        message = condition(user, "run")["message"]
        assert message.startswith(f"grant this to the operator's service account in namespace {SERVED}")
        assert 'cannot create resource "jobs"' in message
        without_jobs(plane, allowed=True)
        assert eventually(lambda: user.list(JOB, SERVED) != []), operator.tail()
        assert eventually(lambda: condition(user, "run").get("reason") != "Forbidden")


def test_a_quota_is_reported_in_the_status(plane: InstalledPlane, tmp_path: Path) -> None:
    """The API server answers 403 to it, too; the message is that of the quota."""
    user = KubeUser(plane.kubeconfig)
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"count/jobs.batch": "0"}}}
    user.call("POST", f"/api/v1/namespaces/{SERVED}/resourcequotas", quota)
    user.call(
        "PATCH",
        f"/api/v1/namespaces/{SERVED}/resourcequotas/none/status",
        {"status": {"hard": {"count/jobs.batch": "0"}, "used": {"count/jobs.batch": "0"}}},
    )
    settings = {"PERENNATE_WATCH_NAMESPACES": SERVED}
    with OperatorProcess(plane.operator_kubeconfig, tmp_path / "log", settings=settings) as operator:
        user.create(manifests.training_job("run", SERVED))
        assert eventually(lambda: condition(user, "run").get("reason") == "Forbidden"), operator.tail()
        assert "exceeded quota: none" in condition(user, "run")["message"]
        assert condition(user, "run")["message"].startswith("a quota or a policy forbids this")
