"""What a side of the comparison is, and how both are had without loading what they load."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """A POST: its path, and its body of JSON."""

    path: str
    body: bytes


@dataclass(frozen=True)
class Side:
    """One server that can be started again and again.

    Args:
        command: what starts it.
        environment: all of its environment.
        port: of 127.0.0.1, where it answers.
        row: one row.
        batch: many rows, as people send them first.
        array: the same rows as one array, without names.
        log: where it prints.
    """

    command: tuple[str, ...]
    environment: dict[str, str]
    port: int
    row: Request
    batch: Request
    array: Request
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
