"""How a stage ends when it does not end well."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perennate.api.documents.stage_result import ErrorReason
from perennate.api.wellknown import ExitCode

if TYPE_CHECKING:
    from perennate.api.documents.stage_result import StageResult


class StageError(Exception):
    """A stage refuses to go on. The text says what, where, allowed, got and what to do."""

    exit_code: ClassVar[ExitCode]
    reason: ClassVar[ErrorReason]

    def __init__(self, message: str, *, result: StageResult | None = None) -> None:
        super().__init__(message)
        self.result = result
        """What the stage found out before it refused."""


class DataRefusedError(StageError):
    """The data are missing, empty, unreadable or not as described. Never retried."""

    exit_code = ExitCode.DATA_REFUSED
    reason = ErrorReason.DATA_REFUSED


class GateFailedError(StageError):
    """A gate, or the comparison with the champion, was not passed. Never retried."""

    exit_code = ExitCode.GATE_FAILED
    reason = ErrorReason.GATE_FAILED


class BadConfigurationError(StageError):
    """The trainer cannot be built, or the model not predictions, as described. Never retried."""

    exit_code = ExitCode.BAD_CONFIGURATION
    reason = ErrorReason.BAD_CONFIGURATION
