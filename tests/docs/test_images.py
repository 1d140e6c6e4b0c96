"""Images in documents render everywhere, in light and dark mode."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from tests.support.docs.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"
PICTURES = sorted((ROOT / "docs").glob("**/*.svg"))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_an_image_is_self_contained(picture: Path) -> None:
    """It has a description, loads and runs nothing, and supports dark mode."""
    root = ET.parse(picture).getroot()  # noqa: S314 - our own file
    assert root.tag == f"{SVG}svg"
    assert root.get("viewBox")
    for part in ("title", "desc"):
        assert (root.findtext(f"{SVG}{part}") or "").strip()
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags & {"script", "image", "foreignObject", "use"} == set()
    assert "prefers-color-scheme: dark" in picture.read_text()
    assert picture.read_text().count("http") == 1


def test_readme_shows_the_image_of_the_loop() -> None:
    assert "docs/images/loop.svg" in (ROOT / "README.md").read_text()
    assert [picture.name for picture in PICTURES] == ["loop.svg"]
