"""The metrics of an operator that reviews tokens: only for accounts that may get /metrics."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.support.cluster.operator_process import OperatorProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cluster.apiserver import InstalledPlane
    from tests.support.cluster.kube_user import KubeUser

pytestmark = pytest.mark.integration
RBAC = "/apis/rbac.authorization.k8s.io/v1"
RULES = [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]


def token_of(user: KubeUser, namespace: str, account: str) -> str:
    """A token of a new service account."""
    user.call("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": account}})
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    return str(user.call("POST", path, request)["status"]["token"])


def allow(user: KubeUser, namespace: str, account: str) -> None:
    """Give an account the right to read metrics."""
    name = f"{namespace}-metrics"
    user.call("POST", f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": RULES})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    subjects = [{"kind": "ServiceAccount", "name": account, "namespace": namespace}]
    body = {"metadata": {"name": name}, "roleRef": role, "subjects": subjects}
    user.call("POST", f"{RBAC}/clusterrolebindings", body)


def scrape(port: int, token: str = "") -> tuple[int, str]:
    """Status and body of a scrape."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def test_only_tokens_with_the_right_read_the_metrics(
    control_plane: InstalledPlane, user: KubeUser, namespace: str, tmp_path: Path
) -> None:
    """The API server decides about the token; nothing of the metrics is in a refusal."""
    allowed, other = token_of(user, namespace, "prometheus"), token_of(user, namespace, "eve")
    allow(user, namespace, "prometheus")
    port = free_port()
    settings = {"PERENNATE_METRICS_TOKEN_REVIEW": "true", "PERENNATE_METRICS_PORT": str(port)}
    process = OperatorProcess(control_plane.kubeconfig, tmp_path / "log", namespace=namespace, settings=settings)
    with process:
        assert scrape(port) == (401, "")
        assert scrape(port, "forged") == (401, "")
        assert scrape(port, other) == (403, "")
        status, text = scrape(port, allowed)
        assert (status, "perennate_leader" in text) == (200, True)
