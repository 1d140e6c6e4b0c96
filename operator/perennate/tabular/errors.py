"""What goes wrong for the user rather than in the program."""

from __future__ import annotations


class UsageError(Exception):
    """A request that cannot be met. The message is one sentence that names the file, column or option."""
