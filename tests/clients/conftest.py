"""Serving pods as processes, for clients of other projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.pods.ready import fetched, ready
from tests.support.pods.serving import (
    Published,
    ServingProcess,
    publish_clothes,
    publish_gaps,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MODELS: dict[str, Callable[[Path], Published]] = {"gaps": publish_gaps, "clothes": publish_clothes}


@pytest.fixture(scope="session", params=MODELS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Published, ServingProcess]]:
    """A version and a ready pod that serves it: numbers with missing values, and columns of all types."""
    folder = tmp_path_factory.mktemp(request.param)
    version = MODELS[request.param](folder / "store")
    with ready(fetched(version, folder)) as process:
        yield version, process
