"""The bills of materials are valid, complete and reproducible."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.support.tree import ROOT
from tools.supply_chain.locks import installed
from tools.supply_chain.sbom import IMAGES, of_image, of_package, render

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MADE = datetime(2026, 1, 1, tzinfo=UTC)


def document(name: str) -> dict[str, Any]:
    """The bill of materials of an image, or of the package `perennate`."""
    bom = of_package(PROJECT) if name == "perennate" else of_image(PROJECT, name)
    loaded: dict[str, Any] = json.loads(render(bom, MADE))
    return loaded


def packages(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The Python packages in it, without ours."""
    components = [one for one in found["components"] if one["type"] == "library"]
    return {component["name"]: component for component in components}


@pytest.mark.parametrize("name", [*IMAGES, "perennate"])
def test_it_is_valid_and_the_same_each_time(name: str) -> None:
    text = json.dumps(document(name))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert json.dumps(document(name)) == text


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_lists_exactly_what_its_lock_installs(image: str) -> None:
    """Also, the declared dependencies of the packages lead to each package of the lock."""
    pins = installed(ROOT / "requirements" / f"{image}.txt")
    found = packages(document(image))
    assert {name: one["version"] for name, one in found.items()} == {name: pin.version for name, pin in pins.items()}
    for name, pin in pins.items():
        (distribution,) = found[name]["externalReferences"]
        assert {entry["content"] for entry in distribution["hashes"]} == set(pin.hashes)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_names_its_base_by_digest(image: str) -> None:
    (base,) = (one for one in document(image)["components"] if one["type"] == "container")
    digest = re.search(r"sha256:[0-9a-f]{64}", base["purl"])
    assert digest is not None
    assert f"ARG BASE=python:{base['version']}@{digest[0]}\n" in (ROOT / "images" / f"{image}.Dockerfile").read_text()


@pytest.mark.parametrize("image", IMAGES)
def test_every_component_is_needed_by_another_one(image: str) -> None:
    found = document(image)
    needed = {name for entry in found["dependencies"] for name in entry.get("dependsOn", [])}
    assert {one["bom-ref"] for one in found["components"]} == needed


def test_packages_of_extras_are_optional_for_the_package() -> None:
    scopes = {name: one["scope"] for name, one in packages(document("perennate")).items()}
    assert scopes["numpy"] == scopes["pydantic-core"] == "required"
    assert scopes["kopf"] == scopes["bentoml"] == scopes["rich"] == "optional"
    assert "pytest" not in scopes


def test_the_licence_is_what_the_package_declares() -> None:
    """The metadata of skops only say that it is approved by OSI."""
    missing = {name for image in IMAGES for name, one in packages(document(image)).items() if "licenses" not in one}
    assert missing == {"skops"}
