"""Real model versions, trained once for all tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perennate.artifacts import load_verified
from perennate.serving.model.model import ServedModel
from tests.support.pods.serving import (
    publish_clothes,
    publish_forest,
    publish_gaps,
    publish_height,
    publish_rain,
    publish_ridge,
)
from tests.support.pods.serving_pod import running_pod

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from tests.support.pods.serving import Published
    from tests.support.pods.serving_pod import Pod

PUBLISHERS: Mapping[str, Callable[[Path], Published]] = {
    "rain": publish_rain,
    "gaps": publish_gaps,
    "clothes": publish_clothes,
    "height": publish_height,
    "forest": publish_forest,
    "ridge": publish_ridge,
}


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Published]:
    """One version of each test model, in a store."""
    root = tmp_path_factory.mktemp("store")
    return {name: publish(root) for name, publish in PUBLISHERS.items()}


@pytest.fixture(scope="session")
def models(published: Mapping[str, Published]) -> Mapping[str, ServedModel]:
    """The same versions, loaded as a pod loads them."""
    return {
        name: ServedModel(load_verified(version.store.read(version.model, version.digest)), version.digest)
        for name, version in published.items()
    }


@pytest.fixture
async def rain(models: Mapping[str, ServedModel]) -> AsyncIterator[Pod]:
    """A pod that serves the binary classifier with three numeric features."""
    async with running_pod(models["rain"]) as pod:
        yield pod
