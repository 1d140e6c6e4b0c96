"""What can be wrong with a cluster whose processes run, in a few words."""

from __future__ import annotations

import datetime as dt
import http.client
from typing import TYPE_CHECKING

from tools.cluster.kubernetes.api import ApiError
from tools.cluster.packages import manifests
from tools.cluster.packages.node import NODE

if TYPE_CHECKING:
    from tools.cluster.kubernetes.api import ApiClient

#: A kubelet renews its lease every 10 s; one that has not for this long hangs.
_LEASE_SECONDS = 40.0
_NODE_PATH = f"/api/v1/nodes/{NODE}"
_LEASE_PATH = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{NODE}"


def trouble(client: ApiClient) -> str | None:
    """Tell what is wrong with the cluster behind `client`; None if it works."""
    if not client.ready():
        return "its API server does not answer"
    try:
        return node_trouble(client) or name_service_trouble(client)
    except (OSError, http.client.HTTPException, ApiError) as error:
        return str(error)


def node_trouble(client: ApiClient) -> str | None:
    """Tell what is wrong with the node; None if it is ready and its kubelet alive.

    Raises:
        ApiError: there is no node.
        OSError: the API server does not answer.
    """
    conditions = {each["type"]: each["status"] for each in client.get(_NODE_PATH)["status"].get("conditions", [])}
    if conditions.get("Ready") != "True":
        return "its node is not ready"
    if not client.exists(_LEASE_PATH):
        # A kubelet makes its lease only some seconds after its node is ready.
        return None
    renewed = dt.datetime.fromisoformat(client.get(_LEASE_PATH)["spec"]["renewTime"])
    age = (dt.datetime.now(dt.UTC) - renewed).total_seconds()
    return None if age < _LEASE_SECONDS else f"its kubelet has been silent for {age:.0f} s"


def name_service_trouble(client: ApiClient) -> str | None:
    """Tell whether no pod of the name service is available; None if one is.

    Raises:
        ApiError: there is no name service.
        OSError: the API server does not answer.
    """
    status = client.get(manifests.DNS_PATH)["status"]
    return None if status.get("availableReplicas", 0) >= 1 else "its name service is not available"
