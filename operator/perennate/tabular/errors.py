"""Errors that the user can correct: files, columns and options."""

from __future__ import annotations


class UsageError(Exception):
    """An invalid option, file or column. The message is one sentence that names it."""


class FormatError(UsageError):
    """The content of a file does not have the format that it is read in."""


class EmptyFileError(UsageError):
    """A file without a row."""
