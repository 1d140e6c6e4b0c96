"""Errors that keep a serving pod from starting; `perennate.artifacts` has those of the version."""

from __future__ import annotations


class ConfigError(ValueError):
    """An environment variable is missing or invalid; the message names it."""


class ListenError(RuntimeError):
    """A port cannot be bound, or the application behind it did not start."""
