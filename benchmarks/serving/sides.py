"""What a side of the comparison is, and how both are had without loading what they load."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Side:
    """One server that can be started again and again.

    Args:
        command: what starts it.
        environment: all of its environment.
        port: of 127.0.0.1, where `POST /predict` is answered.
        row: a request's body with one row.
        batch: a request's body with many rows.
        log: where it prints.
    """

    command: tuple[str, ...]
    environment: dict[str, str]
    port: int
    row: bytes
    batch: bytes
    log: Path


def prepare(folder: Path) -> tuple[Side, Side]:
    """Ours and theirs, made in an empty folder by a process that ends before anything is measured.

    Libraries that a living process shares with a server would lessen the server's share of the memory.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_make_sides, folder).result()


def _make_sides(folder: Path) -> tuple[Side, Side]:
    from benchmarks.serving.preparation import make_sides  # noqa: PLC0415

    return make_sides(folder)
