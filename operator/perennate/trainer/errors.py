"""Errors that end a stage, and which errors a retry may help."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Final

from perennate.api.documents.stage_result import ErrorReason
from perennate.api.wellknown import ExitCode
from perennate.artifacts import ArtifactConflictError, ArtifactError, ArtifactUnusableError
from perennate.trainer.causes import describe

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import pandas as pd

    from perennate.api.documents.stage_result import StageResult

TRANSIENT: Final = (MemoryError, OSError, BrokenExecutor, ArtifactError)
"""Exceptions that depend on the node: memory, disks, the network, a killed process, a store that cannot be written."""
FINAL: Final = (ArtifactUnusableError, ArtifactConflictError)
"""Subclasses of these that do not."""


def is_transient(error: BaseException) -> bool:
    """Whether a retry of the stage may succeed. Any other exception would come back: the run is deterministic."""
    return isinstance(error, TRANSIENT) and not isinstance(error, FINAL)


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


class GateInconclusiveError(StageError):
    """There are too few hold-out rows for a gate or the comparison with the champion. Not retried."""

    exit_code = ExitCode.GATE_FAILED
    reason = ErrorReason.GATE_INCONCLUSIVE


class BadConfigurationError(StageError):
    """The model cannot be built, trained or evaluated with this spec. Not retried."""

    exit_code = ExitCode.BAD_CONFIGURATION
    reason = ErrorReason.BAD_CONFIGURATION


@contextmanager
def refusing(what: str, features: pd.DataFrame | None = None, *, known: Collection[str] = ()) -> Iterator[None]:
    """Turn every exception of a library that a retry does not help into one that names the field and the cause.

    Args:
        what: field of the spec and what was done, before the cause in the message.
        features: the rows, to name the columns that can be the cause.
        known: words of the spec that are no values of rows.

    Raises:
        BadConfigurationError: the code inside raised such an exception.
    """
    try:
        yield
    except StageError:
        raise
    except (ArtifactUnusableError, ArtifactConflictError) as error:
        raise BadConfigurationError(f"{what}: {error}") from error
    # Estimators raise ValueError, TypeError, IndexError, AttributeError, RecursionError and others.
    except Exception as error:
        if is_transient(error):
            raise
        raise BadConfigurationError(f"{what}: {describe(error, features, known=known)}") from error
