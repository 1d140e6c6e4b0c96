"""Errors that the user can correct: files, columns and options."""

from __future__ import annotations


class UsageError(Exception):
    """An invalid option, file or column.

    Args:
        message: one sentence that names it.
        option: what to do on the command line, which only its users can.
    """

    def __init__(self, message: str, *, option: str = "") -> None:
        super().__init__(message)
        self.option = option


class FormatError(UsageError):
    """The content of a file does not have the format that it is read in."""


class EmptyFileError(UsageError):
    """A file without a row."""
