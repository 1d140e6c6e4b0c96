"""The exception whose message is shown to the user."""

from __future__ import annotations


class ClusterError(Exception):
    """An error with a message for the user: what failed, where, and what to do.

    The command line prints it and exits with 1.
    """
