"""The last word of a stage: its result as JSON in the termination message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate.api.documents.canonical import canonical_json
from perennate.api.documents.stage_result import RESULT_LIMIT, RunError, StageResult

if TYPE_CHECKING:
    from pathlib import Path

MESSAGE_LIMIT: Final = 1024
_ELLIPSIS: Final = "…"


def run_error(reason: str, message: str) -> RunError:
    """The error with its message cut to what a condition can hold."""
    return RunError(reason=reason, message=truncate(message, MESSAGE_LIMIT))


def truncate(text: str, limit: int) -> str:
    """At most `limit` characters of the text, one line, with a mark where something is missing."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + _ELLIPSIS


def encode(result: StageResult) -> bytes:
    """The result as JSON of at most `RESULT_LIMIT` bytes: if it is longer, the error's message gives way."""
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


def write_result(path: Path, result: StageResult) -> None:
    """Leave the result where the kubelet looks for it."""
    path.write_bytes(encode(result))
