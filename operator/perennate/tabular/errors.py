"""Errors that the user can correct: files, columns and options."""

from __future__ import annotations


class UsageError(Exception):
    """A request that cannot be met. The message is one sentence that names the file, column or option."""


class FormatError(UsageError):
    """The content of a file does not have the format that it is read in."""
