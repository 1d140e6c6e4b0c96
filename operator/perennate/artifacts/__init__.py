"""The model store: versions by digest, created once, verified on every read, loaded without running code."""

from __future__ import annotations

from perennate.artifacts.errors import (
    ArtifactConflictError,
    ArtifactCorruptError,
    ArtifactError,
    ArtifactIncompatibleError,
    ArtifactNotFoundError,
    ArtifactRefusedError,
    VersionUnfitError,
)
from perennate.artifacts.formats.skops.loading import LoadedVersion, load_estimator, load_verified, load_version
from perennate.artifacts.formats.skops.saving import save_estimator
from perennate.artifacts.store import ModelStore
from perennate.artifacts.verify import VerifiedVersion, read_manifest, read_version

__all__ = [
    "ArtifactConflictError",
    "ArtifactCorruptError",
    "ArtifactError",
    "ArtifactIncompatibleError",
    "ArtifactNotFoundError",
    "ArtifactRefusedError",
    "LoadedVersion",
    "ModelStore",
    "VerifiedVersion",
    "VersionUnfitError",
    "load_estimator",
    "load_verified",
    "load_version",
    "read_manifest",
    "read_version",
    "save_estimator",
]
