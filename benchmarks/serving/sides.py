"""The sides of the comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from tools.locked_environment import LockedEnvironment

Format = Literal["row", "rows", "row as tensor", "rows as tensor", "rows as binary tensor"]
"""What a request holds: one row or many, as the side's usual JSON, or as a tensor of the Open Inference Protocol."""
MLSERVER_ENVIRONMENT: Final = LockedEnvironment("mlserver", Path(__file__).parent / "requirements" / "mlserver.txt")
JSON_TYPE: Final = {"content-type": "application/json"}


@dataclass(frozen=True)
class Request:
    """A POST request."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: JSON_TYPE)


@dataclass(frozen=True)
class Side:
    """A server that can be started repeatedly.

    Args:
        name: its name in the results.
        command: the command that starts it.
        environment: its complete environment.
        port: its port on 127.0.0.1.
        requests: its requests, all with the same rows, by format.
        log: file for its output.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    port: int
    requests: Mapping[Format, Request]
    log: Path

    @property
    def first(self) -> Request:
        """The request that shows that the server is ready."""
        return next(iter(self.requests.values()))
