"""The texts of warnings, within the bounds of a status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate.api.documents.stage_result import WARNING_LENGTH, RunWarning, WarningReason
from perennate.trainer.termination import truncate

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN: Final = 3
NAME_LENGTH: Final = 40


def described(reason: WarningReason, message: str) -> RunWarning:
    """A warning whose message is truncated to the limit of the status."""
    return RunWarning(reason=reason, message=truncate(message, WARNING_LENGTH))


def named(columns: Sequence[str]) -> str:
    """`column 'a'`, or `each of the columns 'a', 'b', 'c' and 2 more`, so that a verb in the singular follows."""
    shown = [repr(truncate(name, NAME_LENGTH)) if name else "a column without a name" for name in columns[:SHOWN]]
    if len(columns) == 1:
        return shown[0] if not columns[0] else f"column {shown[0]}"
    more = f" and {len(columns) - SHOWN} more" if len(columns) > SHOWN else ""
    return f"each of the columns {', '.join(shown)}{more}"
