"""The chart lints, rejects invalid values, and renders what `kubectl apply -k manifests/base` applies."""

from __future__ import annotations

import subprocess
import tomllib
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support.chart import CHART, LOCAL, Yaml12Loader, by_name, run, template
from tests.support.tree import ROOT
from tools import chart

if TYPE_CHECKING:
    from pathlib import Path


FULL = {
    "replicas": 2,
    "logLevel": "DEBUG",
    "image": {
        "registry": "registry.example.com/team",
        "pullPolicy": "Never",
        "operator": {"repository": "own.example/operator", "tag": "9"},
    },
    "store": {"size": "20Gi", "storageClassName": "fast", "accessMode": "ReadWriteMany"},
    "serviceAccount": {"name": "own", "annotations": {"a": "b"}},
    "metricsService": {"enabled": True},
    "metrics": {"tokenReview": True},
    "cacheMebibytes": 256,
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "k", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
}


def test_the_chart_lints(helm: str, tmp_path: Path) -> None:
    result = run(helm, tmp_path, "lint", "--strict", str(CHART), "--set", "image.registry=localhost")
    assert result.returncode == 0, result.stdout


def test_chart_and_kustomize_install_the_same_objects(helm: str, kubectl: str, tmp_path: Path) -> None:
    """They differ only in the labels of Helm."""
    command = [kubectl, "kustomize", "manifests/base"]
    result = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    kustomized = by_name(result.stdout)
    separate = {key for key in kustomized if key[0] in {"CustomResourceDefinition", "Namespace"}}
    assert separate >= {("Namespace", "perennate-system")}
    assert template(helm, tmp_path, LOCAL) == {key: kustomized[key] for key in kustomized.keys() - separate}


def test_the_install_manifest_equals_the_output_of_kustomize(kubectl: str) -> None:
    """`manifests/install.yaml` is for users without kustomize."""
    command = [kubectl, "kustomize", "manifests/base"]
    result = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert by_name((ROOT / "manifests" / "install.yaml").read_text()) == by_name(result.stdout)


def test_every_value_changes_the_rendered_manifests(helm: str, tmp_path: Path) -> None:
    objects = template(helm, tmp_path, FULL)
    deployment = objects["Deployment", "perennate-operator"]["spec"]
    pod = deployment["template"]["spec"]
    container = pod["containers"][0]
    environment = {one["name"]: one.get("value") for one in container["env"]}
    assert (deployment["replicas"], container["image"], container["imagePullPolicy"]) == (
        2,
        "own.example/operator:9",
        "Never",
    )
    assert environment["PERENNATE_IMAGE_PULL_POLICY"] == "Never"
    assert environment["PERENNATE_TRAINER_IMAGE"] == "registry.example.com/team/perennate-trainer:0.1.0"
    policy = str(objects["ValidatingAdmissionPolicy", "perennate-operator.perennate-system"])
    assert '"registry.example.com/team/perennate-serving" : "registry.example.com/team/perennate-trainer"' in policy
    assert "system:serviceaccount:perennate-system:own" in policy
    assert environment["PERENNATE_LOG_LEVEL"] == "DEBUG"
    store = [environment[f"PERENNATE_STORE_{name}"] for name in ("SIZE", "CLASS", "ACCESS_MODE")]
    assert store == ["20Gi", "fast", "ReadWriteMany"]
    assert pod["serviceAccountName"] == "own"
    assert objects["ServiceAccount", "own"]["metadata"]["annotations"] == {"a": "b"}
    assert objects["ClusterRoleBinding", "perennate-operator"]["subjects"][0]["name"] == "own"
    assert objects["RoleBinding", "perennate-operator-lease"]["subjects"][0]["name"] == "own"
    assert ("Service", "perennate-operator-metrics") in objects
    assert {name: pod[name] for name in ("nodeSelector", "tolerations", "affinity")} == {
        name: FULL[name] for name in ("nodeSelector", "tolerations", "affinity")
    }


@pytest.mark.parametrize("way", [["template", "perennate"], ["install", "perennate", "--dry-run=client"]])
def test_images_have_no_default_registry(helm: str, tmp_path: Path, way: list[str]) -> None:
    """A default name could be registered by anybody. The error says what to set, and for which image."""
    for value, image in (("replicas=1", "operator"), ("image.operator.repository=r.example/o", "trainer")):
        result = run(helm, tmp_path, *way, str(CHART), "--set", value)
        assert result.returncode == 1
        assert "image.registry: is required, because no images are published" in result.stderr
        assert f"image.{image}.repository" in result.stderr


def test_every_image_can_have_a_repository_of_its_own(helm: str, tmp_path: Path) -> None:
    """Then no registry is needed; a tag may have a digest."""
    names = {name: {"repository": f"r.example/{name}"} for name in ("operator", "trainer", "serving")}
    names["serving"]["tag"] = f"1@sha256:{'a' * 64}"
    container = template(helm, tmp_path, {"image": names})["Deployment", "perennate-operator"]["spec"]["template"]
    environment = {one["name"]: one.get("value") for one in container["spec"]["containers"][0]["env"]}
    assert environment["PERENNATE_TRAINER_IMAGE"] == "r.example/trainer:0.1.0"
    assert environment["PERENNATE_SERVING_IMAGE"] == f"r.example/serving:1@sha256:{'a' * 64}"


def test_no_manifest_names_a_public_registry() -> None:
    """A name without a host means docker.io."""
    found = {image for file in ("base/deployment.yaml", "install.yaml") for image in images(ROOT / "manifests" / file)}
    assert found == {f"localhost/perennate-{name}:0.1.0" for name in ("operator", "trainer", "serving")}


def images(file: Path) -> set[str]:
    """The images of the operator and of its pods in a file of manifests."""
    documents = (document for document in yaml.load_all(file.read_text(), Loader=Yaml12Loader) if document)
    (deployment,) = [document for document in documents if document["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {container["image"], *(one["value"] for one in container["env"] if one["name"].endswith("_IMAGE"))}


def test_an_existing_service_account_is_not_created(helm: str, tmp_path: Path) -> None:
    """With `serviceAccount.create: false`."""
    objects = template(helm, tmp_path, LOCAL | {"serviceAccount": {"create": False, "name": "theirs"}})
    assert [key for key in objects if key[0] == "ServiceAccount"] == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("replica=2", "replica"),
        ("image.pullPolicy=Sometimes", "pullPolicy"),
        ("store.size=large", "size"),
        ("store.accessMode=ReadOnlyMany", "accessMode"),
        ("replicas=-1", "replicas"),
        ("watchNamespaces={Team}", "watchNamespaces"),
        ("watchNamespaces={team-*}", "watchNamespaces"),
        ("image.registry=https://registry.example.com", "registry"),
        ("networkPolicy.apiServer.ports={0}", "ports"),
    ],
)
def test_an_invalid_value_is_rejected_by_name(helm: str, tmp_path: Path, value: str, message: str) -> None:
    """The schema allows no unknown key."""
    result = run(helm, tmp_path, "template", "perennate", str(CHART), "--set", value)
    assert result.returncode == 1
    assert message in result.stderr


def test_values_yaml_contains_the_declared_defaults() -> None:
    written = yaml.safe_load((CHART / "values.yaml").read_text())
    assert written == chart.Values().model_dump(mode="json", by_alias=True)
    assert chart.Values.model_validate(written) == chart.Values()


def test_package_chart_and_images_have_the_same_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    described = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (described["version"], described["appVersion"]) == (version, version)
