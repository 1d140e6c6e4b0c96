"""Prepare both sides in a process that ends before anything is measured."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.serving.sides import Side


def prepare(folder: Path) -> tuple[Side, Side]:
    """Ours and theirs, made in an empty folder by another process.

    Libraries that a living process shares with a server would lessen the server's share of the memory.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_make_sides, folder).result()


def _make_sides(folder: Path) -> tuple[Side, Side]:
    from benchmarks.serving.preparation import make_sides  # noqa: PLC0415 - loads libraries that only servers may share

    return make_sides(folder)
