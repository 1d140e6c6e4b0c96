"""The model store: immutable versions by digest, verified on every read and loaded without running code."""

from __future__ import annotations

from perennate.artifacts.errors import (
    ArtifactConflictError,
    ArtifactCorruptError,
    ArtifactError,
    ArtifactIncompatibleError,
    ArtifactNotFoundError,
    ArtifactRefusedError,
    ArtifactUnusableError,
)
from perennate.artifacts.formats.protocol import Estimator, ModelFormat, Prediction
from perennate.artifacts.versions.files import read_exact
from perennate.artifacts.versions.loading import LoadedVersion, load_verified, load_version
from perennate.artifacts.versions.registry import FORMATS
from perennate.artifacts.versions.store import ModelStore
from perennate.artifacts.versions.verify import FILE_LIMIT, VerifiedVersion, read_manifest, read_version

__all__ = [
    "FILE_LIMIT",
    "FORMATS",
    "ArtifactConflictError",
    "ArtifactCorruptError",
    "ArtifactError",
    "ArtifactIncompatibleError",
    "ArtifactNotFoundError",
    "ArtifactRefusedError",
    "ArtifactUnusableError",
    "Estimator",
    "LoadedVersion",
    "ModelFormat",
    "ModelStore",
    "Prediction",
    "VerifiedVersion",
    "load_verified",
    "load_version",
    "read_exact",
    "read_manifest",
    "read_version",
]
