"""Health checks of a cluster whose processes are running."""

from __future__ import annotations

import datetime as dt
import http.client
from typing import TYPE_CHECKING

from tools.cluster.kubernetes.api import ApiError
from tools.cluster.packages import manifests
from tools.cluster.packages.node import NODE

if TYPE_CHECKING:
    from tools.cluster.kubernetes.api import ApiClient

#: A kubelet renews its lease every 10 s. It hangs if the lease is older than this.
_LEASE_SECONDS = 40.0
_NODE_PATH = f"/api/v1/nodes/{NODE}"
_LEASE_PATH = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{NODE}"


def problem(client: ApiClient) -> str | None:
    """Return what is wrong with the cluster of `client`; None if it is healthy."""
    if not client.ready():
        return "its API server does not answer"
    try:
        return node_problem(client) or dns_problem(client)
    except (OSError, http.client.HTTPException, ApiError) as error:
        return str(error)


def node_problem(client: ApiClient) -> str | None:
    """Return what is wrong with the node; None if it is ready and its kubelet renews its lease.

    Raises:
        ApiError: there is no node.
        OSError: the API server does not answer.
    """
    conditions = {each["type"]: each["status"] for each in client.get(_NODE_PATH)["status"].get("conditions", [])}
    if conditions.get("Ready") != "True":
        return "its node is not ready"
    if not client.exists(_LEASE_PATH):
        # The kubelet creates its lease some seconds after the node is ready.
        return None
    renewed = dt.datetime.fromisoformat(client.get(_LEASE_PATH)["spec"]["renewTime"])
    age = (dt.datetime.now(dt.UTC) - renewed).total_seconds()
    return None if age < _LEASE_SECONDS else f"its kubelet has not renewed its lease for {age:.0f} s"


def dns_problem(client: ApiClient) -> str | None:
    """Return a problem if no CoreDNS pod is available; None if one is.

    Raises:
        ApiError: CoreDNS is not installed.
        OSError: the API server does not answer.
    """
    status = client.get(manifests.DNS_PATH)["status"]
    return None if status.get("availableReplicas", 0) >= 1 else "CoreDNS is not available"
