"""The phase of a serving pod, for its probes and connections."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """The three phases of a pod, in order."""

    LOADING = "loading the model"
    READY = "ready"
    DRAINING = "shutting down"


class Lifecycle:
    """The current phase. It never goes back."""

    def __init__(self) -> None:
        self.phase = Phase.LOADING

    @property
    def is_ready(self) -> bool:
        """Whether the pod accepts new requests."""
        return self.phase is Phase.READY

    @property
    def is_draining(self) -> bool:
        """Whether the pod closes its connections."""
        return self.phase is Phase.DRAINING

    def become_ready(self) -> None:
        """Enter READY: the model is loaded and warm."""
        if self.phase is Phase.LOADING:
            self.phase = Phase.READY

    def drain(self) -> None:
        """Enter DRAINING: the pod received a stop signal."""
        self.phase = Phase.DRAINING
