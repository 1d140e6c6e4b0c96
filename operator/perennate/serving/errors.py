"""Why a serving pod cannot start, besides what `perennate.artifacts` finds wrong with the version."""

from __future__ import annotations


class ConfigError(ValueError):
    """The environment is incomplete or wrong; the text names the variable."""


class ListenError(RuntimeError):
    """A port cannot be had, or the application behind it did not start."""
