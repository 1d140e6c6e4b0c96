"""kopf's storages, emptied: it keeps nothing on objects, and copies none to find out what changed.

Its own are made for handlers that react to differences. We react to what is there, and the copies would be a fifth of
the operator's CPU.
"""

from __future__ import annotations

from typing import Any

import kopf


class NoDiffBase(kopf.DiffBaseStorage):  # type: ignore[misc]  # kopf is untyped to us
    """No object has a last-handled state."""

    def build(self, **_: Any) -> Any:
        """Nothing of an object is essential."""
        return {}

    def fetch(self, **_: Any) -> Any:
        """Nothing is remembered."""
        return None

    def store(self, **_: Any) -> None:
        """Nothing is kept."""


class NoProgress(kopf.ProgressStorage):  # type: ignore[misc]  # kopf is untyped to us
    """No handler has progress to remember."""

    def fetch(self, **_: Any) -> Any:
        """Nothing is remembered."""
        return None

    def store(self, **_: Any) -> None:
        """Nothing is kept."""

    def purge(self, **_: Any) -> None:
        """There is nothing to remove."""

    def touch(self, **_: Any) -> None:
        """Nothing is marked."""

    def clear(self, *, essence: Any) -> Any:
        """There is nothing of ours in it."""
        return essence
