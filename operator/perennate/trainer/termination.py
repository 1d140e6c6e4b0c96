"""The termination message of a stage: its result as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate.api.documents.canonical import canonical_json
from perennate.api.documents.stage_result import RESULT_LIMIT, WARNING_LENGTH, RunError, StageResult
from perennate.text import printable

if TYPE_CHECKING:
    from pathlib import Path

MESSAGE_LIMIT: Final = 1024
_ELLIPSIS: Final = "…"


def run_error(reason: str, message: str) -> RunError:
    """The error, with its message truncated to the limit of a condition."""
    return RunError(reason=reason, message=truncate(message, MESSAGE_LIMIT))


def truncate(text: str, limit: int) -> str:
    """The text on one line, truncated to `limit` characters with an ellipsis. It cannot control a terminal."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + _ELLIPSIS


def encode(result: StageResult) -> bytes:
    """The result as JSON of at most `RESULT_LIMIT` bytes. If it is longer, warnings and error are truncated."""
    result = _with_short_warnings(result)
    encoded = canonical_json(result.to_document())
    while len(encoded) > RESULT_LIMIT and result.error is not None:
        kept = len(result.error.message) - max(1, (len(encoded) - RESULT_LIMIT) // 4)
        if kept < 1:
            break
        result = result.model_copy(
            update={"error": run_error(result.error.reason, truncate(result.error.message, kept))}
        )
        encoded = canonical_json(result.to_document())
    return encoded


def _with_short_warnings(result: StageResult) -> StageResult:
    """The result, with shorter warnings if it is too long, without them if that is not enough."""
    for limit in (WARNING_LENGTH, 120, 60):
        if result.warnings is None or len(canonical_json(result.to_document())) <= RESULT_LIMIT:
            return result
        short = tuple(
            warning.model_copy(update={"message": truncate(warning.message, limit)}) for warning in result.warnings
        )
        result = result.model_copy(update={"warnings": short})
    fits = len(canonical_json(result.to_document())) <= RESULT_LIMIT
    return result if fits else result.model_copy(update={"warnings": None})


def write_result(path: Path, result: StageResult) -> None:
    """Write the result to the termination log."""
    path.write_bytes(encode(result))
