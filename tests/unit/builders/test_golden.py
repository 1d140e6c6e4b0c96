"""Golden manifests: the children that a plan creates for a whole object, compared with reviewed YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.world.world import World

GOLDEN = Path(__file__).parents[2] / "golden"
CASES = {path.parent.name: path.parent for path in sorted(GOLDEN.glob("*/in.yaml"))}


def children(folder: Path) -> list[dict[str, Any]]:
    """The children that a pass over the first object of a case creates and applies, given the other objects."""
    first, *others = yaml.safe_load_all((folder / "in.yaml").read_text())
    world = World.of(first, *others)
    plan = world.plan(first["kind"], first["metadata"]["name"])
    return [*plan.create, *plan.apply]


def test_the_golden_cases_are_found() -> None:
    assert {"training-estimator", "serving", "serving-capture", "retraining"} <= set(CASES)


@pytest.mark.parametrize("folder", CASES.values(), ids=CASES)
def test_manifests_equal_the_golden_files(folder: Path, *, update_golden: bool) -> None:
    """Any change of a child must appear in a reviewed file; `pytest --update-golden` rewrites the files."""
    found = children(folder)
    file = folder / "out.yaml"
    if update_golden:
        file.write_text(yaml.safe_dump_all(found, sort_keys=False, width=120))
    assert list(yaml.safe_load_all(file.read_text())) == found
