"""Provenance of a run: digests of its inputs, and its fingerprint."""

from __future__ import annotations

from perennate.lineage.environment import UNKNOWN, library_versions, training_environment
from perennate.lineage.record import (
    data_digest,
    environment_digest,
    fingerprint,
    parameters_digest,
    provenance,
)

__all__ = [
    "UNKNOWN",
    "data_digest",
    "environment_digest",
    "fingerprint",
    "library_versions",
    "parameters_digest",
    "provenance",
    "training_environment",
]
