"""Serving pods whose containers have started: the version is fetched, or the pod is ready."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tests.support.pods.serving import Published, ServingProcess, container_environment, run_fetch, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perennate.api.documents.serving_config import CaptureConfig


def fetched(
    version: Published, folder: Path, *, capture: CaptureConfig | None = None, **overrides: str
) -> dict[str, str]:
    """The environment of both containers of a pod whose init container has fetched the version.

    Args:
        version: the version to serve.
        folder: folder of the pod.
        capture: whether and how rows are captured.
        overrides: other variables of the containers.
    """
    environment = container_environment(version, folder, capture=capture, **overrides)
    done = run_fetch(environment)
    assert done.returncode == 0, done.stderr
    return environment


@contextlib.contextmanager
def ready(environment: dict[str, str]) -> Iterator[ServingProcess]:
    """Run the main container until it is ready; it must end with exit code 0 after SIGTERM."""
    with serving(environment) as pod:
        pod.wait_ready()
        yield pod
        assert pod.stop() == 0, pod.log()
