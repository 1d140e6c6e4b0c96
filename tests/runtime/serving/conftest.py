"""The version that serving pods of these tests load."""

from __future__ import annotations

import pytest

from tests.support.pods.serving import Published, publish_rain


@pytest.fixture(scope="session")
def rain(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A version in a store."""
    return publish_rain(tmp_path_factory.mktemp("rain") / "store")
