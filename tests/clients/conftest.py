"""Serving pods as processes, for clients of other projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.pods.serving import (
    Published,
    ServingProcess,
    container_environment,
    publish_clothes,
    publish_gaps,
    run_fetch,
    serving,
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
    environment = container_environment(version, folder)
    fetched = run_fetch(environment)
    assert fetched.returncode == 0, fetched.stderr
    with serving(environment) as process:
        process.wait_ready()
        yield version, process
        assert process.stop() == 0, process.log()
