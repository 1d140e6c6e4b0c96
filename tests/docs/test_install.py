"""The ways to install in README and installation guide, on a real API server."""

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
HELM, KUSTOMIZE = "helm install ", "kubectl apply --server-side -k "


def steps(page: Path, *, way: str, other: str) -> list[Step]:
    """The commands of a page for one way to install, in order."""
    blocks = [block.steps() for block in BLOCKS if block.page == page]
    assert [found for found in blocks if found[0].command.startswith(way)]
    return [step for found in blocks if not found[0].command.startswith(other) for step in found]


@pytest.mark.parametrize("page", [README, GUIDE], ids=["readme", "guide"])
def test_helm_installs_upgrades_and_removes_as_shown(empty_cluster: Terminal, page: Path) -> None:
    """Every Helm command of a page works in order and prints what the page says."""
    for step in steps(page, way=HELM, other=KUSTOMIZE):
        empty_cluster.expect(step)


def test_kustomize_installs_as_shown(empty_cluster: Terminal) -> None:
    """`kubectl apply -k` works on an empty cluster, and a second time."""
    blocks = [block for block in BLOCKS if block.steps()[0].command.startswith(KUSTOMIZE)]
    assert {block.page for block in blocks} == {README, GUIDE}
    for block in blocks:
        for step in block.steps():
            empty_cluster.expect(step)


def test_the_shown_manifests_are_taken(empty_cluster: Terminal) -> None:
    """The API server accepts every manifest of the pages, including its CEL rules."""
    shown = sorted({b.remark.removeprefix("include ") for b in all_blocks("yaml") if b.remark.startswith("include ")})
    assert shown
    empty_cluster.expect(Step("kubectl apply --server-side -f crds"))
    for file in shown:
        empty_cluster.expect(Step(f"kubectl create --dry-run=server -f {file}", ("... created (server dry run)",)))
