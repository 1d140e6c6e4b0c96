"""What a side of the comparison is."""

from __future__ import annotations

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
