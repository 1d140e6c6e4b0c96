"""Errors that end a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perennate.api.documents.stage_result import ErrorReason
from perennate.api.wellknown import ExitCode

if TYPE_CHECKING:
    from perennate.api.documents.stage_result import StageResult


class StageError(Exception):
    """A stage cannot continue. The message says what is wrong, where, what is allowed, what was found, what to do."""

    exit_code: ClassVar[ExitCode]
    reason: ClassVar[ErrorReason]

    def __init__(self, message: str, *, result: StageResult | None = None) -> None:
        super().__init__(message)
        self.result = result
        """What the stage computed before the error."""


class DataRefusedError(StageError):
    """The data are missing, empty, unreadable or do not match the spec. Not retried."""

    exit_code = ExitCode.DATA_REFUSED
    reason = ErrorReason.DATA_REFUSED


class GateFailedError(StageError):
    """A gate or the comparison with the champion failed. Not retried."""

    exit_code = ExitCode.GATE_FAILED
    reason = ErrorReason.GATE_FAILED


class BadConfigurationError(StageError):
    """The model cannot be built, trained or evaluated with this spec. Not retried."""

    exit_code = ExitCode.BAD_CONFIGURATION
    reason = ErrorReason.BAD_CONFIGURATION
