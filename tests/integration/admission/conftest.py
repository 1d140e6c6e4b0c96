"""An API server on which a thief has a token of the operator.

The account is also bound to cluster-admin, so that only the policy refuses: it holds even if its role is widened.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cluster.apiserver import OPERATOR_ACCOUNT, InstalledPlane
from tests.support.cluster.children import NAMESPACE, POLICY, refusal
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.waiting import eventually

RBAC = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InstalledPlane]:
    """An API server on which the operator's account is also a cluster administrator."""
    with InstalledPlane(tmp_path_factory.mktemp("policy")) as plane:
        admin = KubeUser(plane.kubeconfig)
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": OPERATOR_ACCOUNT}
        admin.call("POST", RBAC, {"metadata": {"name": "stolen"}, "roleRef": role, "subjects": [subject]})
        admin.ensure_namespace(NAMESPACE)
        yield plane


@pytest.fixture(scope="session")
def admin(plane: InstalledPlane) -> KubeUser:
    """The administrator."""
    return KubeUser(plane.kubeconfig)


@pytest.fixture(scope="session")
def thief(plane: InstalledPlane) -> KubeUser:
    """Who has a token of the operator, once the policy is enforced."""
    thief = KubeUser(plane.operator_kubeconfig)
    secret = {"metadata": {"name": "x"}}
    assert eventually(lambda: POLICY in refusal(thief, "POST", "/api/v1/namespaces/default/secrets", secret))
    return thief
