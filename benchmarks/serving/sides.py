"""The two sides of the comparison."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """A POST request with a JSON body."""

    path: str
    body: bytes


@dataclass(frozen=True)
class Side:
    """A server that can be started repeatedly.

    Args:
        command: the command that starts it.
        environment: its complete environment.
        port: its port on 127.0.0.1.
        row: request with one row.
        batch: request with many rows, in the most common format.
        array: request with the same rows as one array, without names.
        log: file for its output.
    """

    command: tuple[str, ...]
    environment: dict[str, str]
    port: int
    row: Request
    batch: Request
    array: Request
    log: Path
