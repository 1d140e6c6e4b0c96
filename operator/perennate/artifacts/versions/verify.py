"""Read and verify a version. Each file is read once, so that the verified bytes are the bytes that are used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perennate.api.documents.canonical import digest_bytes
from perennate.api.documents.document import InvalidDocumentError
from perennate.api.documents.model_manifest import MANIFEST_FILE, PROFILE_FILE, ModelManifest
from perennate.artifacts.errors import ArtifactCorruptError, ArtifactNotFoundError
from perennate.artifacts.versions.files import read_exact
from perennate.artifacts.versions.paths import file_name
from perennate.artifacts.versions.registry import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST_LIMIT: Final = 1 << 20
FILE_LIMIT: Final = 4 << 30
"""Maximum size of a file of a version, in bytes. A model is held in memory."""


@dataclass(frozen=True)
class VerifiedVersion:
    """A version in memory, verified against its digest."""

    manifest: ModelManifest
    files: Mapping[str, bytes]
    """Content by file name, without the manifest."""

    @property
    def model(self) -> bytes:
        """The model file."""
        return self.files[FORMATS.by_name(self.manifest.format).file_name]

    @property
    def profile(self) -> bytes:
        """The reference profile."""
        return self.files[PROFILE_FILE]


def read_manifest(folder: Path, digest: str) -> ModelManifest:
    """Read the manifest of the version in a folder and verify its digest.

    Args:
        folder: `<root>/<namespace>/<model>/versions/<hexdigest>`, or a copy of it.
        digest: `sha256:` and 64 hexadecimal digits.

    Raises:
        ArtifactNotFoundError: the folder has no manifest.
        ArtifactCorruptError: the manifest has another digest or is invalid.
        ArtifactIncompatibleError: this release does not know the format of its model.
    """
    try:
        content = read_exact(folder / MANIFEST_FILE, limit=MANIFEST_LIMIT)
    except ArtifactNotFoundError:
        raise ArtifactNotFoundError(
            f"version {digest} is not in {folder}: no {MANIFEST_FILE}; it was not published there, or was removed"
        ) from None
    _check_digest(folder / MANIFEST_FILE, content, digest)
    try:
        manifest = ModelManifest.read(content)
    except InvalidDocumentError as error:
        raise ArtifactCorruptError(f"{folder / MANIFEST_FILE} cannot be read by this release: {error}") from error
    _check_files(folder, manifest)
    return manifest


def read_version(folder: Path, digest: str) -> VerifiedVersion:
    """Read the version in a folder and verify all files.

    Raises:
        ArtifactNotFoundError: the folder has no manifest.
        ArtifactCorruptError: a file is missing, or has another size or digest.
    """
    manifest = read_manifest(folder, digest)
    files: dict[str, bytes] = {}
    for entry in manifest.files:
        path = folder / entry.path
        try:
            files[entry.path] = read_exact(path, size=entry.size, limit=FILE_LIMIT)
        except ArtifactNotFoundError:
            raise ArtifactCorruptError(f"{path} is missing although the manifest of {digest} lists it") from None
        _check_digest(path, files[entry.path], entry.digest)
    return VerifiedVersion(manifest=manifest, files=files)


def _check_digest(path: Path, content: bytes, wanted: str) -> None:
    found = digest_bytes(content)
    if found != wanted:
        raise ArtifactCorruptError(
            f"{path} has the digest {found}, expected {wanted}; the file is damaged or was changed"
        )


def _check_files(folder: Path, manifest: ModelManifest) -> None:
    """Check the list of files: plain names, no duplicates, all required files."""
    names = [file_name(entry.path) for entry in manifest.files]
    digests = {entry.path: entry.digest for entry in manifest.files}
    if len(set(names)) != len(names) or MANIFEST_FILE in names:
        raise ArtifactCorruptError(f"{folder / MANIFEST_FILE} lists a file twice or lists itself")
    for needed in (FORMATS.by_name(manifest.format).file_name, PROFILE_FILE):
        if needed not in digests:
            raise ArtifactCorruptError(f"{folder / MANIFEST_FILE} lists no {needed}")
    if digests[PROFILE_FILE] != manifest.profile_digest:
        raise ArtifactCorruptError(f"{folder / MANIFEST_FILE} has two digests of {PROFILE_FILE}")
