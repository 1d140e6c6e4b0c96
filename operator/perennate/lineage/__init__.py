"""Provenance of a run: digests of its inputs, and its fingerprint."""

from __future__ import annotations

from perennate.lineage.environment import library_versions
from perennate.lineage.record import (
    data_digest,
    environment_digest,
    fingerprint,
    parameters_digest,
    provenance,
)

__all__ = [
    "data_digest",
    "environment_digest",
    "fingerprint",
    "library_versions",
    "parameters_digest",
    "provenance",
]
