"""Empty storages for kopf, so that it keeps no state on objects and copies none to detect changes.

Its own storages serve handlers that react to differences. Our passes are level-triggered, and the copies would take a
fifth of the operator's CPU time.
"""

from __future__ import annotations

from typing import Any

import kopf


class NoDiffBase(kopf.DiffBaseStorage):  # type: ignore[misc]  # kopf is untyped to us
    """Stores no last-handled state."""

    def build(self, **_: Any) -> Any:
        """An empty essence."""
        return {}

    def fetch(self, **_: Any) -> Any:
        """No state."""
        return None

    def store(self, **_: Any) -> None:
        """Store nothing."""


class NoProgress(kopf.ProgressStorage):  # type: ignore[misc]  # kopf is untyped to us
    """Stores no progress of handlers."""

    def fetch(self, **_: Any) -> Any:
        """No state."""
        return None

    def store(self, **_: Any) -> None:
        """Store nothing."""

    def purge(self, **_: Any) -> None:
        """Remove nothing."""

    def touch(self, **_: Any) -> None:
        """Mark nothing."""

    def clear(self, *, essence: Any) -> Any:
        """The essence unchanged."""
        return essence
