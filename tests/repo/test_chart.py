"""The chart lints, rejects invalid values, and by default renders what `kubectl apply -k manifests/base` applies."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.tree import ROOT
from tools import chart

if TYPE_CHECKING:
    from pathlib import Path


class Yaml12Loader(yaml.CSafeLoader):
    """kubectl writes YAML 1.2, in which `1e+308` is a number; PyYAML's own rules want `1.0e+308`."""


Yaml12Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+"), list("-+0123456789")
)

CHART = ROOT / "charts" / "perennate"
Objects = dict[tuple[str, str], dict[str, Any]]

FULL = {
    "replicas": 2,
    "logLevel": "DEBUG",
    "image": {"pullPolicy": "Never", "operator": {"repository": "own/operator", "tag": "9"}},
    "store": {"size": "20Gi", "storageClassName": "fast", "accessMode": "ReadWriteMany"},
    "serviceAccount": {"name": "own", "annotations": {"a": "b"}},
    "metricsService": {"enabled": True},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "k", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
}


def run(helm: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm with its folders below `home`, so that the user's settings are neither read nor written."""
    folders = {f"HELM_{kind}_HOME": str(home / kind) for kind in ("CACHE", "CONFIG", "DATA")}
    command = [helm, *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | folders, capture_output=True, text=True, check=False)


def template(helm: str, home: Path, values: dict[str, Any]) -> Objects:
    """The objects that the chart renders with these values, by kind and name."""
    file = home / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    arguments = ("perennate", str(CHART), "--namespace", "perennate-system", "--values", str(file))
    result = run(helm, home, "template", *arguments)
    assert result.returncode == 0, result.stderr
    return by_name(result.stdout)


def by_name(text: str) -> Objects:
    """The objects of a multi-document YAML text, without their labels: the chart adds those of Helm."""
    objects: Objects = {}
    for document in yaml.load_all(text, Loader=Yaml12Loader):
        if document:
            document["metadata"].pop("labels", None)
            objects[document["kind"], document["metadata"]["name"]] = document
    return objects


def test_the_chart_lints(helm: str, tmp_path: Path) -> None:
    result = run(helm, tmp_path, "lint", "--strict", str(CHART))
    assert result.returncode == 0, result.stdout


def test_chart_and_kustomize_install_the_same_objects(helm: str, kubectl: str, tmp_path: Path) -> None:
    """They differ only in the labels of Helm."""
    command = [kubectl, "kustomize", "manifests/base"]
    result = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    kustomized = by_name(result.stdout)
    separate = {key for key in kustomized if key[0] in {"CustomResourceDefinition", "Namespace"}}
    assert separate >= {("Namespace", "perennate-system")}
    assert template(helm, tmp_path, {}) == {key: kustomized[key] for key in kustomized.keys() - separate}


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
    assert (deployment["replicas"], container["image"], container["imagePullPolicy"]) == (2, "own/operator:9", "Never")
    assert environment["PERENNATE_IMAGE_PULL_POLICY"] == "Never"
    assert environment["PERENNATE_TRAINER_IMAGE"] == "perennate/trainer:0.1.0"
    assert environment["PERENNATE_LOG_LEVEL"] == "DEBUG"
    store = [environment[f"PERENNATE_STORE_{name}"] for name in ("SIZE", "CLASS", "ACCESS_MODE")]
    assert store == ["20Gi", "fast", "ReadWriteMany"]
    assert pod["serviceAccountName"] == "own"
    assert objects["ServiceAccount", "own"]["metadata"]["annotations"] == {"a": "b"}
    assert objects["ClusterRoleBinding", "perennate-operator"]["subjects"][0]["name"] == "own"
    assert objects["RoleBinding", "perennate-operator"]["subjects"][0]["name"] == "own"
    assert ("Service", "perennate-operator-metrics") in objects
    assert {name: pod[name] for name in ("nodeSelector", "tolerations", "affinity")} == {
        name: FULL[name] for name in ("nodeSelector", "tolerations", "affinity")
    }


def test_an_existing_service_account_is_not_created(helm: str, tmp_path: Path) -> None:
    """With `serviceAccount.create: false`."""
    objects = template(helm, tmp_path, {"serviceAccount": {"create": False, "name": "theirs"}})
    assert [key for key in objects if key[0] == "ServiceAccount"] == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("replica=2", "replica"),
        ("image.pullPolicy=Sometimes", "pullPolicy"),
        ("store.size=large", "size"),
        ("store.accessMode=ReadOnlyMany", "accessMode"),
        ("replicas=-1", "replicas"),
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
