"""Manifests in documents match their files or are valid."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml
from jsonschema import Draft202012Validator

from perennate.api.v1alpha1 import KINDS
from tests.repo import structural
from tests.support.docs.pages import ROOT, Block, all_blocks, blocks, pages
from tools import includes

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = all_blocks("yaml")
INCLUDED = [block for block in BLOCKS if block.remark.startswith("include ")]
VALUES = json.loads((ROOT / "charts/perennate/values.schema.json").read_text())
EXAMPLE = "examples/01-rainfall"


def problems(text: str) -> list[str]:
    """Errors of YAML in a document: our kinds against their CRDs, documents without a kind as chart values."""
    found: list[str] = []
    for document in yaml.safe_load_all(text):
        if "kind" in document:
            found += structural.errors(document)
        else:
            found += [error.message for error in Draft202012Validator(VALUES).iter_errors(document)]
    return found


def test_readme_shows_the_manifests_of_the_demo() -> None:
    """One of each kind, in the order of the loop."""
    shown = [block.remark.removeprefix("include ") for block in INCLUDED if block.page == ROOT / "README.md"]
    assert shown == [f"{EXAMPLE}/{name}.yaml" for name in ("training-job", "model-deployment", "drift-policy")]
    assert [yaml.safe_load((ROOT / file).read_text())["kind"] for file in shown] == [kind.__name__ for kind in KINDS]


def test_every_include_comment_is_above_a_block() -> None:
    """`make generate` would not update the block otherwise."""
    for page in pages():
        shown = [block for block in blocks(page) if block.remark.startswith("include ")]
        assert page.read_text().count("\n<!-- include ") == len(shown)


@pytest.mark.parametrize("block", INCLUDED, ids=Block.label)
def test_an_included_block_equals_its_file(block: Block) -> None:
    assert block.text == (ROOT / block.remark.removeprefix("include ")).read_text()


@pytest.mark.parametrize("block", BLOCKS, ids=Block.label)
def test_yaml_in_documents_is_valid(block: Block) -> None:
    """The API server, or the chart, accepts it."""
    assert problems(block.text) == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("apiVersion: perennate.dev/v1alpha1\nkind: DriftPolicy\nspec: {targetRf: {name: a}}\n", "targetRf"),
        ("imagge: {}\n", "imagge"),
    ],
)
def test_invalid_yaml_is_detected(text: str, error: str) -> None:
    """A misspelt field, and a misspelt value of the chart."""
    assert any(error in problem for problem in problems(text))


def test_fill_updates_a_changed_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("new: 1\n")
    (tmp_path / "README.md").write_text("before\n\n<!-- include a.yaml -->\n```yaml\nold: 1\n```\n\nafter\n")
    expected = "before\n\n<!-- include a.yaml -->\n```yaml\nnew: 1\n```\n\nafter\n"
    assert includes.files(tmp_path) == {"README.md": expected}


def test_fill_rejects_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("<!-- include gone.yaml -->\n```yaml\nold: 1\n```\n")
    with pytest.raises(FileNotFoundError, match=r"gone\.yaml"):
        includes.files(tmp_path)
