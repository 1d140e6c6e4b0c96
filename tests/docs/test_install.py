"""The installation commands in README and installation guide, on a real API server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.docs.pages import ROOT, Step, all_blocks, run_by

if TYPE_CHECKING:
    from tests.support.docs.terminal import Terminal

README = ROOT / "README.md"
GUIDE = ROOT / "docs" / "how-to" / "install.md"
BLOCKS = run_by(Path(__file__))
HELM, MANIFESTS = "helm install ", "sed "


def steps(page: Path, *, way: str, other: str) -> list[Step]:
    """The commands of a page for one installation method, in order."""
    blocks = [block.steps() for block in BLOCKS if block.page == page]
    assert [found for found in blocks if found[0].command.startswith(way)]
    return [step for found in blocks if not found[0].command.startswith(other) for step in found]


@pytest.mark.parametrize("page", [README, GUIDE], ids=["readme", "guide"])
def test_helm_commands_run_as_documented(empty_cluster: Terminal, page: Path) -> None:
    """Installation, upgrade and removal print the documented output."""
    for step in steps(page, way=HELM, other=MANIFESTS):
        empty_cluster.expect(step)


def test_kubectl_commands_run_as_documented(empty_cluster: Terminal) -> None:
    """`kubectl apply` works on an empty cluster, and a second time."""
    blocks = [block for block in BLOCKS if block.steps()[0].command.startswith(MANIFESTS)]
    assert {block.page for block in blocks} == {README, GUIDE}
    for block in blocks:
        for step in block.steps():
            empty_cluster.expect(step)


def test_the_api_server_accepts_documented_manifests(empty_cluster: Terminal) -> None:
    """Its validation includes the CEL rules."""
    shown = sorted({b.remark.removeprefix("include ") for b in all_blocks("yaml") if b.remark.startswith("include ")})
    assert shown
    empty_cluster.expect(Step("kubectl apply --server-side -f crds"))
    for file in shown:
        empty_cluster.expect(Step(f"kubectl create --dry-run=server -f {file}", ("... created (server dry run)",)))
