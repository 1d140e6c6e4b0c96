"""Where a serving pod is in its life, for its probes and its connections."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """The three phases of a pod, in their order."""

    LOADING = "loading the model"
    READY = "ready"
    DRAINING = "shutting down"


class Lifecycle:
    """The current phase; it only ever moves on."""

    def __init__(self) -> None:
        self.phase = Phase.LOADING

    @property
    def is_ready(self) -> bool:
        """Whether new requests are wanted."""
        return self.phase is Phase.READY

    @property
    def is_draining(self) -> bool:
        """Whether connections are asked to go elsewhere."""
        return self.phase is Phase.DRAINING

    def become_ready(self) -> None:
        """The model is loaded and warm."""
        if self.phase is Phase.LOADING:
            self.phase = Phase.READY

    def drain(self) -> None:
        """The pod was told to end."""
        self.phase = Phase.DRAINING
