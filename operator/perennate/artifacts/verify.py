"""Reading a version so that the bytes that were checked are the bytes that are used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perennate.api.documents.canonical import digest_bytes
from perennate.api.documents.document import InvalidDocumentError
from perennate.api.documents.model_manifest import MANIFEST_FILE, PROFILE_FILE, ModelManifest
from perennate.artifacts.errors import ArtifactCorruptError, ArtifactNotFoundError
from perennate.artifacts.files import read_exact
from perennate.artifacts.formats.registry import FORMATS
from perennate.artifacts.paths import file_name

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST_LIMIT: Final = 1 << 20
FILE_LIMIT: Final = 4 << 30
"""Bytes of the largest file of a version; a model is held in memory, so larger ones would not serve anyway."""


@dataclass(frozen=True)
class VerifiedVersion:
    """A version in memory, every byte of it checked against the digest that was asked for."""

    manifest: ModelManifest
    files: Mapping[str, bytes]
    """Content by file name; the manifest itself is not among them."""

    @property
    def model(self) -> bytes:
        """The model file."""
        return self.files[FORMATS.by_name(self.manifest.format).file_name]

    @property
    def profile(self) -> bytes:
        """The reference profile."""
        return self.files[PROFILE_FILE]


def read_manifest(folder: Path, digest: str) -> ModelManifest:
    """The manifest of the version in a folder, if it is the one of this digest.

    Args:
        folder: `<root>/<namespace>/<model>/versions/<hexdigest>`, or a copy of it.
        digest: `sha256:` and 64 hexadecimal digits.

    Raises:
        ArtifactNotFoundError: the folder holds no manifest, so nothing was published there.
        ArtifactCorruptError: it holds another manifest, or one that cannot be read.
        ArtifactIncompatibleError: this release does not know the format of its model.
    """
    try:
        content = read_exact(folder / MANIFEST_FILE, limit=MANIFEST_LIMIT)
    except ArtifactNotFoundError:
        raise ArtifactNotFoundError(
            f"version {digest} is not in {folder}: no {MANIFEST_FILE}; it was never published there, or removed"
        ) from None
    _check_digest(folder / MANIFEST_FILE, content, digest)
    try:
        manifest = ModelManifest.read(content)
    except InvalidDocumentError as error:
        raise ArtifactCorruptError(f"{folder / MANIFEST_FILE} cannot be read by this release: {error}") from error
    _check_files(folder, manifest)
    return manifest


def read_version(folder: Path, digest: str) -> VerifiedVersion:
    """The whole version in a folder, each file read once and checked on the bytes that are returned.

    Raises:
        ArtifactNotFoundError: nothing was published there.
        ArtifactCorruptError: a file is missing, is longer or shorter, or has another digest.
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
            f"{path} has the digest {found}, wanted {wanted}; it is damaged or was changed: not used"
        )


def _check_files(folder: Path, manifest: ModelManifest) -> None:
    """The rules for the list of files that the schema cannot state."""
    names = [file_name(entry.path) for entry in manifest.files]
    digests = {entry.path: entry.digest for entry in manifest.files}
    if len(set(names)) != len(names) or MANIFEST_FILE in names:
        raise ArtifactCorruptError(f"{folder / MANIFEST_FILE} lists a file twice, or itself")
    for needed in (FORMATS.by_name(manifest.format).file_name, PROFILE_FILE):
        if needed not in digests:
            raise ArtifactCorruptError(f"{folder / MANIFEST_FILE} lists no {needed}")
    if digests[PROFILE_FILE] != manifest.profile_digest:
        raise ArtifactCorruptError(f"{folder / MANIFEST_FILE} names two digests for {PROFILE_FILE}")
