"""Fixtures of the level that needs a real API server but no node."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.apiserver import ControlPlane

if TYPE_CHECKING:
    from collections.abc import Iterator

_CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One API server with our CRDs for the whole session; a test keeps to a namespace of its own."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane"), crds=[_CRDS]) as plane:
        yield plane
