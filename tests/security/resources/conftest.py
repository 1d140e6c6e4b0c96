"""An API server with the roles for users, one operator, and a tenant who has only the role `edit` in a namespace."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.support.cluster.apiserver import ControlPlane
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.operator_process import OperatorProcess
from tests.support.tree import ROOT, manifests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perennate.api.meta import Manifest

_CRDS = sorted((ROOT / "crds").glob("perennate.dev_*.yaml"))
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
TENANT = "eve"
ROLES = ("perennate-view", "perennate-edit")
"""What an installation adds to the role `edit`; bound directly, because aggregation takes its time."""


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server with our CRDs and the aggregated roles of an installation."""
    with ControlPlane(tmp_path_factory.mktemp("plane"), crds=_CRDS) as running:
        administrator = KubeUser(running.kubeconfig)
        for _, role in manifests("manifests/base"):
            if role["kind"] == "ClusterRole" and role["metadata"]["name"] in ROLES:
                administrator.call("POST", f"{_RBAC}/clusterroles", role)
        yield running


@pytest.fixture(scope="session")
def administrator(plane: ControlPlane) -> KubeUser:
    """A user with all rights, to prepare namespaces and to look at results."""
    return KubeUser(plane.kubeconfig)


@pytest.fixture(scope="session")
def tenant(plane: ControlPlane) -> KubeUser:
    """The attacker: has the role `edit`, with the rights on our kinds, in the namespaces of the tests."""
    return KubeUser(plane.kubeconfig, act_as=TENANT)


@pytest.fixture(scope="session")
def operator(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """One operator for all attacks."""
    log = tmp_path_factory.mktemp("operator") / "log"
    with OperatorProcess(plane.kubeconfig, log) as process:
        yield process


def tenant_namespace(administrator: KubeUser, prefix: str) -> str:
    """A new namespace in which the tenant has the role `edit`."""
    name = administrator.ensure_namespace(f"{prefix}-{uuid.uuid4().hex[:6]}")
    for role in ("edit", *ROLES):
        binding: Manifest = {
            "metadata": {"name": role},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": TENANT}],
        }
        administrator.call("POST", f"{_RBAC}/namespaces/{name}/rolebindings", binding)
    return name


@pytest.fixture
def namespace(administrator: KubeUser, request: pytest.FixtureRequest) -> str:
    """A namespace of the tenant for one test."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:50].strip("-")
    return tenant_namespace(administrator, words)


@pytest.fixture(scope="module")
def common_namespace(administrator: KubeUser) -> str:
    """A namespace of the tenant for the tests of one file that leave nothing behind."""
    return tenant_namespace(administrator, "common")
