"""An API server with the roles for users, one operator, and a tenant who has only the role `edit` in a namespace."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.support.cluster.apiserver import InstalledPlane
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.operator_process import OperatorProcess
from tests.support.cluster.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perennate.api.meta import Manifest

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
TENANT = "eve"
EDIT = ("system:aggregate-to-view", "system:aggregate-to-edit")
"""What the role `edit` is made of. Bound directly, because aggregation takes its time."""
ROLES = ("perennate-view", "perennate-edit")
"""What an installation adds to the role `edit`."""


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InstalledPlane]:
    """One API server with our installation for all attacks."""
    with InstalledPlane(tmp_path_factory.mktemp("plane")) as running:
        yield running


@pytest.fixture(scope="session")
def administrator(plane: InstalledPlane) -> KubeUser:
    """A user with all rights, to prepare namespaces and to look at results."""
    return KubeUser(plane.kubeconfig)


@pytest.fixture(scope="session")
def tenant(plane: InstalledPlane) -> KubeUser:
    """The attacker: has the role `edit`, with the rights on our kinds, in the namespaces of the tests."""
    return KubeUser(plane.kubeconfig, act_as=TENANT)


@pytest.fixture(scope="session")
def operator(plane: InstalledPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """One operator for all attacks."""
    log = tmp_path_factory.mktemp("operator") / "log"
    with OperatorProcess(plane.operator_kubeconfig, log) as process:
        yield process


def tenant_namespace(administrator: KubeUser, prefix: str) -> str:
    """A new namespace in which the tenant has the role `edit`."""
    name = administrator.ensure_namespace(f"{prefix}-{uuid.uuid4().hex[:6]}")
    for role in (*EDIT, *ROLES):
        binding: Manifest = {
            "metadata": {"name": role.replace(":", "-")},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": TENANT}],
        }
        administrator.call("POST", f"{_RBAC}/namespaces/{name}/rolebindings", binding)
    assert eventually(lambda: _has_rights(administrator, name))
    return name


def _has_rights(administrator: KubeUser, namespace: str) -> bool:
    """Whether the API server has seen the last binding."""
    wanted = {"namespace": namespace, "verb": "create", "group": "perennate.dev", "resource": "driftpolicies"}
    body = {"spec": {"user": TENANT, "resourceAttributes": wanted}}
    answer = administrator.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
    return bool(answer["status"]["allowed"])


@pytest.fixture
def namespace(administrator: KubeUser, request: pytest.FixtureRequest) -> str:
    """A namespace of the tenant for one test."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:50].strip("-")
    return tenant_namespace(administrator, words)


@pytest.fixture(scope="module")
def common_namespace(administrator: KubeUser) -> str:
    """A namespace of the tenant for the tests of one file that leave nothing behind."""
    return tenant_namespace(administrator, "common")
