"""The golden manifests on a real API server: all fields are valid, and all pods meet the restricted standard."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import POD

if TYPE_CHECKING:
    from tests.support.cluster.kube_user import KubeUser

pytestmark = pytest.mark.integration

FILES = sorted((Path(__file__).parents[1] / "golden").glob("*/out.yaml"))
MANIFESTS = {
    f"{path.parent.name}/{document['kind']}": document
    for path in FILES
    for document in yaml.safe_load_all(path.read_text())
}
PODS = {
    sentence: manifest["spec"]["template"] for sentence, manifest in MANIFESTS.items() if "template" in manifest["spec"]
}
DRY_RUN = {"dryRun": "All", "fieldValidation": "Strict"}


@pytest.fixture(scope="module")
def restricted(user: KubeUser) -> str:
    """A namespace that enforces the restricted pod security standard."""
    name = f"restricted-{uuid.uuid4().hex[:6]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    user.call("POST", "/api/v1/namespaces", body)
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "own"}}
    user.call("POST", f"/api/v1/namespaces/{name}/serviceaccounts", account)
    return name


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
def test_the_api_server_accepts_every_manifest(user: KubeUser, restricted: str, manifest: dict[str, Any]) -> None:
    """A strict dry run reports no unknown, misplaced or invalid field."""
    moved = {**manifest, "metadata": {**manifest["metadata"], "namespace": restricted}}
    answer = user.call("POST", RESOURCES.of(manifest).path(restricted), moved, query=DRY_RUN)
    assert answer["metadata"]["name"] == manifest["metadata"]["name"]


@pytest.mark.parametrize("template", PODS.values(), ids=PODS)
def test_every_pod_meets_the_restricted_standard(user: KubeUser, restricted: str, template: dict[str, Any]) -> None:
    """`restricted` is the strictest pod security standard of Kubernetes."""
    spec = {**template["spec"], "serviceAccountName": "own"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": "x"}, "spec": spec}
    answer = user.call("POST", POD.path(restricted), pod, query=DRY_RUN)
    assert answer["spec"]["securityContext"]["runAsNonRoot"] is True
