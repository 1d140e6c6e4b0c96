"""The chart with watched namespaces, and its NetworkPolicies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tests.support.chart import CHART, LOCAL, by_name, namespaced, run, template
from tests.support.tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACED = LOCAL | {"watchNamespaces": ["team-a", "team-b"]}


def test_with_watched_namespaces_the_operator_has_only_roles(helm: str, tmp_path: Path) -> None:
    """The same rules as in the ClusterRole, in each namespace; its own namespace has only the Role of the Lease."""
    everywhere = template(helm, tmp_path, LOCAL)["ClusterRole", "perennate-operator"]["rules"]
    rendered = namespaced(helm, tmp_path, NAMESPACED)
    assert {kind for kind, _, _ in rendered if kind.startswith("Cluster")} == set()
    roles = {(namespace, name) for kind, namespace, name in rendered if kind == "Role"}
    named = {"perennate-operator", "perennate-view", "perennate-edit"}
    assert roles == {
        ("perennate-system", "perennate-operator-lease"),
        *((namespace, name) for namespace in ("team-a", "team-b") for name in named),
    }
    for namespace in ("team-a", "team-b"):
        assert rendered["Role", namespace, "perennate-operator"]["rules"] == everywhere
        binding = rendered["RoleBinding", namespace, "perennate-operator"]
        assert binding["roleRef"] == {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": "perennate-operator",
        }
        subject = {"kind": "ServiceAccount", "name": "perennate-operator", "namespace": "perennate-system"}
        assert binding["subjects"] == [subject]
    container = rendered["Deployment", "perennate-system", "perennate-operator"]["spec"]["template"]["spec"]
    environment = {one["name"]: one.get("value") for one in container["containers"][0]["env"]}
    assert environment["PERENNATE_WATCH_NAMESPACES"] == "team-a,team-b"


def test_the_own_namespace_can_be_watched(helm: str, tmp_path: Path) -> None:
    """The Role of the Lease has another name than the operator's Role."""
    rendered = namespaced(helm, tmp_path, LOCAL | {"watchNamespaces": ["perennate-system"]})
    assert ("Role", "perennate-system", "perennate-operator") in rendered
    assert ("Role", "perennate-system", "perennate-operator-lease") in rendered


def test_the_policies_of_a_namespace_equal_the_manifests(helm: str, tmp_path: Path) -> None:
    """manifests/tenant is for users without Helm."""
    file = ROOT / "manifests" / "tenant" / "network-policies.yaml"
    wanted = {name: body["spec"] for (_, name), body in by_name(file.read_text()).items()}
    rendered = namespaced(helm, tmp_path, NAMESPACED | {"networkPolicy": {"enabled": True, "namespaces": ["team-c"]}})
    found = {name: body["spec"] for (kind, namespace, name), body in rendered.items() if namespace == "team-c"}
    assert found == wanted
    default = namespaced(helm, tmp_path, NAMESPACED | {"networkPolicy": {"enabled": True}})
    assert {namespace for kind, namespace, _ in default if kind == "NetworkPolicy"} == {
        "perennate-system",
        "team-a",
        "team-b",
    }


def test_network_policies_select_the_pods_that_the_operator_builds(helm: str, tmp_path: Path) -> None:
    """Every golden pod of a kind is selected by exactly one policy."""
    rendered = namespaced(helm, tmp_path, NAMESPACED | {"networkPolicy": {"enabled": True}})
    selectors = {
        name: body["spec"]["podSelector"]["matchLabels"].items()
        for (kind, namespace, name), body in rendered.items()
        if (kind, namespace) == ("NetworkPolicy", "team-a")
    }
    pods = 0
    for path in sorted((ROOT / "tests" / "golden").glob("*/out.yaml")):
        for child in yaml.safe_load_all(path.read_text()):
            if child["kind"] in {"Job", "Deployment"}:
                labels = child["spec"]["template"]["metadata"]["labels"].items()
                kind = "training" if child["kind"] == "Job" else "serving"
                assert [name for name, wanted in selectors.items() if wanted <= labels] == [f"perennate-{kind}"]
                pods += 1
    assert pods >= 5


def test_clients_and_the_api_server_can_be_named_in_network_policies(helm: str, tmp_path: Path) -> None:
    gateway, prometheus = {"namespaceSelector": {"a": "g"}}, {"podSelector": {"b": "p"}}
    values = {
        "enabled": True,
        "namespaces": ["team-a"],
        "servingClients": [gateway],
        "metricsClients": [prometheus],
        "apiServer": {"ports": [6443], "cidrs": ["10.0.0.1/32"]},
        "trainingEgress": [{"ports": [{"port": 443}]}],
    }
    rendered = namespaced(helm, tmp_path, LOCAL | {"networkPolicy": values})
    specs = {name: body["spec"] for (kind, _, name), body in rendered.items() if kind == "NetworkPolicy"}
    operator = specs["perennate-operator"]
    assert operator["ingress"] == [{"ports": [{"port": 8080}]}, {"from": [prometheus], "ports": [{"port": 8081}]}]
    assert operator["egress"][0] == {"ports": [{"port": 6443}], "to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}]}
    traffic, operations = specs["perennate-serving"]["ingress"]
    assert traffic == {"from": [gateway], "ports": [{"port": 3000}]}
    assert operations["from"][1:] == [prometheus]
    assert specs["perennate-training"]["egress"] == [{"ports": [{"port": 443}]}]


def test_network_policies_need_namespaces(helm: str, tmp_path: Path) -> None:
    arguments = ["--set", "image.registry=localhost", "--set", "networkPolicy.enabled=true"]
    result = run(helm, tmp_path, "template", "perennate", str(CHART), *arguments)
    assert "networkPolicy.namespaces: is required with networkPolicy.enabled" in result.stderr


def test_policies_can_be_left_out(helm: str, tmp_path: Path) -> None:
    """For whoever is no cluster administrator, or has another way."""
    values = LOCAL | {"admissionPolicy": {"enabled": False}, "networkPolicy": {"operator": False}}
    assert {kind for kind, _ in template(helm, tmp_path, values) if "Policy" in kind} == set()
