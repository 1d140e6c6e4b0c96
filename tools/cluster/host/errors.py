"""The one exception whose text is written for the person who typed the command."""

from __future__ import annotations


class ClusterError(Exception):
    """One clear sentence: what failed, where, and what to do. The command line prints it and exits with 1."""
