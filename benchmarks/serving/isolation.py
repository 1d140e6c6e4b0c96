"""Prepare all sides in a process that exits before the measurement."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.serving.sides import Side


def prepare(folder: Path, peers: Sequence[str]) -> tuple[Side, ...]:
    """Prepare our side and then those of the peers in an empty folder, in another process.

    Library pages that a running process shares with a server would reduce the PSS of the server.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_make_sides, folder, peers).result()


def _make_sides(folder: Path, peers: Sequence[str]) -> tuple[Side, ...]:
    from benchmarks.serving.preparation import make_sides  # noqa: PLC0415 - loads libraries that only the servers may share

    return make_sides(folder, peers)
