"""The node runs Kubernetes 1.35 with any kind on PATH, unless KIND_NODE_IMAGE overrides the image."""

from __future__ import annotations

import re

import pytest

from tools.cluster.instance import CHECKOUT
from tools.cluster.kind import node_image
from tools.cluster.kind.node_image import PINNED, TABLE, VARIABLE, KindChoice
from tools.cluster.programs import compiled


@pytest.mark.parametrize("found", TABLE)
def test_a_known_kind_on_path_is_used_with_its_image(found: tuple[int, int]) -> None:
    """An image is only guaranteed to work with the kind release that published it."""
    assert node_image.choose(found, {}) == KindChoice(on_path=True, image=TABLE[found])


@pytest.mark.parametrize("found", [None, (0, 20), (0, 34), (0, 0)])
def test_an_unknown_kind_on_path_is_ignored(found: tuple[int, int] | None) -> None:
    """No kind, an old one, a newer unknown one, or one without a version: the pinned kind is used."""
    assert node_image.choose(found, {}) == KindChoice(on_path=False, image=TABLE[PINNED])


def test_the_variable_overrides_the_image() -> None:
    assert node_image.choose((0, 20), {VARIABLE: "mine:1"}) == KindChoice(on_path=True, image="mine:1")
    assert node_image.choose(None, {VARIABLE: "mine:1"}) == KindChoice(on_path=False, image="mine:1")


def test_every_image_is_pinned_to_the_tested_minor_version() -> None:
    """By digest, because tags can move."""
    major, minor, _ = compiled.KUBERNETES
    for image in TABLE.values():
        assert re.fullmatch(rf"kindest/node:v{major}\.{minor}\.\d+@sha256:[0-9a-f]{{64}}", image)


def test_the_pinned_kind_equals_the_version_in_go_mod() -> None:
    text = (compiled.SOURCES / "kind" / "go.mod").read_text()
    assert f"sigs.k8s.io/kind v{PINNED[0]}.{PINNED[1]}." in text


def test_the_installation_guide_contains_the_table() -> None:
    """Users look up images in the installation guide."""
    guide = (CHECKOUT / "docs" / "how-to" / "install.md").read_text()
    for (major, minor), image in TABLE.items():
        assert f"| {major}.{minor} | `{image}` |" in guide
