"""The model store on a file system: immutable versions by digest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perennate.api.documents.canonical import canonical_json
from perennate.api.documents.model_manifest import MANIFEST_FILE, ModelManifest, file_entries
from perennate.artifacts.errors import ArtifactCorruptError, ArtifactError
from perennate.artifacts.versions import paths
from perennate.artifacts.versions.files import create, make_folder, sweep, sync_folder
from perennate.artifacts.versions.keys import line_key
from perennate.artifacts.versions.verify import VerifiedVersion, read_manifest, read_version

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ModelStore:
    """The part of the store that belongs to a namespace.

    Layout: `<root>/<namespace>/<model>/versions/<hexdigest>/`, `<root>/<namespace>/<model>/captured/<model
        deployment>/`, and `<root>/<namespace>/.keys/<model>`.
    """

    root: Path
    namespace: str

    def publish(self, manifest: ModelManifest, files: Mapping[str, bytes]) -> str:
        """Publish a version: first its files, then its manifest. Idempotent.

        Files that exist are compared byte by byte. A version that a killed publisher left incomplete is completed. Two
        publishers of the same digest write the same bytes.

        Args:
            manifest: manifest of exactly these files; its digest is the version.
            files: content by file name.

        Returns:
            The version's digest.

        Raises:
            ArtifactError: files and manifest differ, or a file cannot be written.
            ArtifactConflictError: a file of the version exists with other bytes.
        """
        _check_complete(manifest, files)
        digest = manifest.digest
        folder = self.version_dir(manifest.model, digest)
        make_folder(folder, below=self.root)
        _create_all(folder, manifest, files)
        return digest

    def read(self, model: str, digest: str) -> VerifiedVersion:
        """Read a version and verify every file.

        Raises:
            ArtifactNotFoundError: it is not in the store.
            ArtifactCorruptError: its files do not match the digest.
        """
        version = read_version(self.version_dir(model, digest), digest)
        _check_line(version.manifest, model)
        return version

    def read_manifest(self, model: str, digest: str) -> ModelManifest:
        """Read the manifest of a version. Its files are not verified.

        Raises:
            ArtifactNotFoundError: the version is not in the store.
            ArtifactCorruptError: the manifest does not match the digest.
        """
        manifest = read_manifest(self.version_dir(model, digest), digest)
        _check_line(manifest, model)
        return manifest

    def fetch(self, model: str, digest: str, target: Path) -> ModelManifest:
        """Copy a version into a folder and verify every file. The manifest is written last. Idempotent.

        Args:
            model: the model line.
            digest: the version.
            target: folder for the copy. It is created if it does not exist; its parent must exist.

        Raises:
            ArtifactNotFoundError: the version is not in the store.
            ArtifactCorruptError: its files do not match the digest.
            ArtifactConflictError: the folder holds another version.
        """
        version = self.read(model, digest)
        make_folder(target, below=target.parent)
        _create_all(target, version.manifest, version.files)
        return version.manifest

    def key(self, model: str) -> bytes:
        """The key that signs the ids of predictions of a model line. The first call creates it.

        Raises:
            ArtifactError: it is damaged, or cannot be created.
        """
        return line_key(paths.key_file(self.root, self.namespace, model), below=self.root)

    def version_dir(self, model: str, digest: str) -> Path:
        """Folder of a version. It need not exist."""
        return paths.version_dir(self.root, self.namespace, model, digest)

    def captured_dir(self, model: str, model_deployment: str) -> Path:
        """Folder of the files that a ModelDeployment captured. It need not exist."""
        return paths.captured_dir(self.root, self.namespace, model, model_deployment)

    def file(self, path: str) -> Path:
        """Path of a file in the namespace's part of the store.

        Raises:
            ArtifactError: the path is outside the folder of the namespace.
        """
        return paths.inside(paths.namespace_dir(self.root, self.namespace), path)


def _create_all(folder: Path, manifest: ModelManifest, files: Mapping[str, bytes]) -> None:
    for name in sorted(files):
        create(folder / paths.file_name(name), files[name])
    # A manifest marks the version as complete, so all other files must be durable before it.
    sync_folder(folder)
    create(folder / MANIFEST_FILE, canonical_json(manifest.to_document()))
    sync_folder(folder)
    sweep(folder)


def _check_complete(manifest: ModelManifest, files: Mapping[str, bytes]) -> None:
    listed = {entry.path: (entry.digest, entry.size) for entry in manifest.files}
    given = {entry.path: (entry.digest, entry.size) for entry in file_entries(files)}
    if listed != given or MANIFEST_FILE in given:
        raise ArtifactError(
            f"the manifest lists {sorted(listed)} and the files are {sorted(given)}: "
            "names, digests and sizes must be equal, and the manifest must not be among the files"
        )


def _check_line(manifest: ModelManifest, model: str) -> None:
    if manifest.model != model:
        raise ArtifactCorruptError(
            f"version {manifest.digest} belongs to the model line {manifest.model!r}, not {model!r}"
        )
