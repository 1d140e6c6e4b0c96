"""The roles of the operator and of users grant least privilege."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import CLAIM, DRIFT_WINDOW, EVENT, LEASE, REPLICA_SET
from tests.support.tree import manifests

ROLES = {
    f"{document['kind']}/{document['metadata']['name']}": document
    for _, document in manifests("manifests/base")
    if document["kind"] in {"Role", "ClusterRole"}
}
OPERATOR = {name: role for name, role in ROLES.items() if "perennate-operator" in name}
USERS = {name: role for name, role in ROLES.items() if name not in OPERATOR}
FORBIDDEN = {
    "secrets",
    "configmaps",
    "nodes",
    "nodes/proxy",
    "namespaces",
    "persistentvolumes",
    "serviceaccounts",
    "serviceaccounts/token",
    "pods/exec",
    "pods/attach",
    "pods/portforward",
    "pods/ephemeralcontainers",
    "roles",
    "rolebindings",
    "clusterroles",
    "clusterrolebindings",
    "controllerrevisions",
    "customresourcedefinitions",
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
}
KINDS = {"trainingjobs", "modeldeployments", "driftpolicies"}


def grants(role: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Every (group, resource, verb) that the role grants."""
    rules = role["rules"]
    return {one for rule in rules for one in product(rule["apiGroups"], rule["resources"], rule["verbs"])}


CLUSTER = grants(ROLES["ClusterRole/perennate-operator"])
"""The rights of the operator in every namespace."""


def test_the_operator_has_two_roles() -> None:
    """One for all namespaces and one for its Lease; the tests below check both."""
    assert sorted(OPERATOR) == ["ClusterRole/perennate-operator", "Role/perennate-operator-lease"]


@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)
def test_no_role_has_a_wildcard(role: dict[str, Any]) -> None:
    """A wildcard also grants rights on future resources."""
    assert {one for one in grants(role) if "*" in "".join(one)} == set()
    assert not any("nonResourceURLs" in rule for rule in role["rules"])


@pytest.mark.parametrize("role", OPERATOR.values(), ids=OPERATOR)
def test_the_operator_cannot_read_secrets_or_escalate_privileges(role: dict[str, Any]) -> None:
    """It also cannot exec into pods."""
    assert {one for one in grants(role) if one[1] in FORBIDDEN} == set()
    assert {verb for _, _, verb in grants(role)} & {"escalate", "bind", "impersonate", "deletecollection"} == set()


def test_the_operator_cannot_create_pods() -> None:
    """The controllers of Kubernetes create them, from Jobs and Deployments."""
    verbs = {verb for _, resource, verb in CLUSTER if resource == "pods"}
    assert verbs == {"list", "watch"}


def test_the_operator_never_writes_a_spec() -> None:
    """The operator may create a TrainingJob; otherwise it may only patch the status of our kinds."""
    given = {(resource, verb) for group, resource, verb in CLUSTER if group == "perennate.dev"}
    writes = {(resource, verb) for resource, verb in given if verb not in {"get", "list", "watch"}}
    assert writes == {
        ("trainingjobs", "create"),
        ("trainingjobs", "delete"),
        ("driftwindows", "create"),
        ("driftwindows", "patch"),
        *((f"{kind}/status", "patch") for kind in KINDS),
    }


def test_rights_match_the_calls_in_the_code() -> None:
    """Every right has a call in the code, and every call has a right."""
    known = [*RESOURCES.primary.values(), *RESOURCES.secondary.values(), REPLICA_SET, CLAIM, DRIFT_WINDOW, EVENT, LEASE]
    given = {(group, resource.split("/")[0]) for role in OPERATOR.values() for group, resource, _ in grants(role)}
    assert given == {(resource.group, resource.plural) for resource in known}


def test_watched_kinds_can_be_listed_and_watched() -> None:
    """The cache needs LIST and WATCH for each kind."""
    given = {(resource, verb) for _, resource, verb in CLUSTER}
    wanted = {
        (resource.plural, verb)
        for resource in (*RESOURCES.primary.values(), *RESOURCES.secondary.values())
        for verb in ("list", "watch")
    }
    assert wanted <= given
    assert {resource for resource, verb in given if verb == "watch"} == {resource for resource, _ in wanted}


def test_the_operator_cannot_change_or_delete_the_store() -> None:
    """The store is the claim with the model versions."""
    claims = {verb for _, resource, verb in CLUSTER if resource == "persistentvolumeclaims"}
    assert claims & {"update", "patch", "delete"} == set()


def test_the_operator_has_no_right_on_config_maps() -> None:
    """They hold settings and credentials of others. The windows have a kind of their own, accessed by name."""
    assert {verb for _, resource, verb in CLUSTER if resource == "configmaps"} == set()
    assert {verb for _, resource, verb in CLUSTER if resource == "driftwindows"} == {"get", "create", "patch"}


def test_leases_are_accessible_only_in_the_own_namespace() -> None:
    """A right to all Leases would let the operator take over any controller of the cluster."""
    assert {resource for _, resource, _ in CLUSTER} & {"leases"} == set()
    assert {resource for _, resource, _ in grants(ROLES["Role/perennate-operator-lease"])} == {"leases"}


@pytest.mark.parametrize("role", USERS.values(), ids=USERS)
def test_users_cannot_write_a_status(role: dict[str, Any]) -> None:
    """The status of a DriftPolicy contains its limits on retraining, which users must not change."""
    assert {one for one in grants(role) if one[1].endswith("/status")} == set()
    assert {one[0] for one in grants(role)} == {"perennate.dev"}


def test_operator_pods_meet_the_restricted_profile() -> None:
    """Non-root, read-only root, no capabilities, seccomp, limits."""
    (deployment,) = [document for _, document in manifests("manifests/base") if document["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 10_000
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"memory"} <= container["resources"]["limits"].keys()
    assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
    assert pod.keys() & {"hostNetwork", "hostPID", "hostIPC"} == set()
    assert all(set(volume) == {"name", "emptyDir"} for volume in pod["volumes"])
