"""Load the fitted estimator of a verified version with the format in its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING

from perennate.artifacts.errors import ArtifactIncompatibleError
from perennate.artifacts.versions.registry import FORMATS
from perennate.artifacts.versions.verify import VerifiedVersion, read_version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perennate.api.documents.model_manifest import ModelManifest
    from perennate.artifacts.formats.protocol import Estimator, ModelFormat


@dataclass(frozen=True)
class LoadedVersion:
    """A version that is ready to predict.

    Args:
        manifest: its manifest.
        format: the format of its model file.
        estimator: the fitted estimator; takes a DataFrame with the manifest's features in order.
        profile: content of `profile.json`.
    """

    manifest: ModelManifest
    format: ModelFormat
    estimator: Estimator
    profile: bytes


def load_version(folder: Path, digest: str) -> LoadedVersion:
    """Verify the version in a folder and load its model from the verified bytes.

    Raises:
        ArtifactNotFoundError: the folder holds no version.
        ArtifactCorruptError: its bytes do not match the digest.
        ArtifactIncompatibleError: this release does not know its format, or another minor version of the library
            wrote it.
        ArtifactRefusedError: the model file fails the audit of its format.
    """
    return load_verified(read_version(folder, digest))


def load_verified(version: VerifiedVersion) -> LoadedVersion:
    """Load the model of a verified version in memory. Raises the errors of `load_version`."""
    model_format = FORMATS.by_name(version.manifest.format)
    library = model_format.library
    check_compatible(library, version.manifest.environment, installed_version(library))
    return LoadedVersion(version.manifest, model_format, model_format.load(version.model), version.profile)


def check_compatible(library: str, environment: Mapping[str, str], installed: str) -> None:
    """Refuse a version that another minor version of the library wrote: it may load and predict something else.

    Args:
        library: name of the distribution.
        environment: versions by distribution, as in the manifest.
        installed: version of the library in this process.

    Raises:
        ArtifactIncompatibleError: the minor versions differ, or the manifest records none.
    """
    written = environment.get(library)
    if written is None or written.split(".")[:2] != installed.split(".")[:2]:
        raise ArtifactIncompatibleError(
            f"the version was trained with {library} {written or '(not recorded)'} and {installed} is installed here; "
            "major and minor version must be equal: train again, or use an image with that version"
        )
