"""Renders the chart with Helm."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.support.tree import ROOT


class Yaml12Loader(yaml.CSafeLoader):
    """kubectl writes YAML 1.2, in which `1e+308` is a number; PyYAML's own rules want `1.0e+308`."""


Yaml12Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+"), list("-+0123456789")
)

CHART = ROOT / "charts" / "perennate"
Objects = dict[tuple[str, str], dict[str, Any]]
LOCAL = {"image": {"registry": "localhost"}}
"""Images of the local cluster, which manifests/ have."""


def run(helm: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm with its folders below `home`, so that the user's settings are neither read nor written."""
    folders = {f"HELM_{kind}_HOME": str(home / kind) for kind in ("CACHE", "CONFIG", "DATA")}
    command = [helm, *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | folders, capture_output=True, text=True, check=False)


def render(helm: str, home: Path, values: dict[str, Any]) -> str:
    """The manifests that the chart renders with these values."""
    file = home / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    arguments = ("perennate", str(CHART), "--namespace", "perennate-system", "--values", str(file))
    result = run(helm, home, "template", *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def template(helm: str, home: Path, values: dict[str, Any]) -> Objects:
    """The objects that the chart renders with these values, by kind and name."""
    return by_name(render(helm, home, values))


def namespaced(helm: str, home: Path, values: dict[str, Any]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The objects that the chart renders with these values, by kind, namespace and name."""
    found = [document for document in yaml.load_all(render(helm, home, values), Loader=Yaml12Loader) if document]
    keys = [(one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]) for one in found]
    assert len(set(keys)) == len(keys), "two objects with one name"
    return dict(zip(keys, found, strict=True))


def by_name(text: str) -> Objects:
    """The objects of a multi-document YAML text, without their labels: the chart adds those of Helm."""
    objects: Objects = {}
    for document in yaml.load_all(text, Loader=Yaml12Loader):
        if document:
            document["metadata"].pop("labels", None)
            objects[document["kind"], document["metadata"]["name"]] = document
    return objects
