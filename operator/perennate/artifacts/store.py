"""The model store on a file system: versions by digest, created once and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perennate.api.documents.canonical import canonical_json
from perennate.api.documents.model_manifest import MANIFEST_FILE, ModelManifest, file_entries
from perennate.artifacts import paths
from perennate.artifacts.errors import ArtifactCorruptError, ArtifactError
from perennate.artifacts.files import create, make_folder, sweep, sync_folder
from perennate.artifacts.verify import VerifiedVersion, read_manifest, read_version

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ModelStore:
    """The part of the store that belongs to one namespace.

    Layout: `<root>/<namespace>/<model>/versions/<hexdigest>/` and `<root>/<namespace>/<model>/captured/<model
        deployment>/`.
    """

    root: Path
    namespace: str

    def publish(self, manifest: ModelManifest, files: Mapping[str, bytes]) -> str:
        """Publish a version: its files first, its manifest last, each created once.

        Who finds the version published compares every byte and is done. What a killed publisher left is completed: a
        file under its own name is always whole, and two publishers of one digest have the same bytes.

        Args:
            manifest: lists exactly `files`; its digest is the version.
            files: content by file name.

        Returns:
            The version's digest.

        Raises:
            ArtifactError: files and manifest disagree, or the file system refused.
            ArtifactConflictError: a damaged file stands where one of the version's belongs.
        """
        _check_complete(manifest, files)
        digest = manifest.digest
        folder = self.version_dir(manifest.model, digest)
        make_folder(folder, below=self.root)
        _create_all(folder, manifest, files)
        return digest

    def read(self, model: str, digest: str) -> VerifiedVersion:
        """A version in memory, every byte checked.

        Raises:
            ArtifactNotFoundError: it is not in the store.
            ArtifactCorruptError: its bytes are not those of the digest.
        """
        version = read_version(self.version_dir(model, digest), digest)
        _check_line(version.manifest, model)
        return version

    def read_manifest(self, model: str, digest: str) -> ModelManifest:
        """The manifest of a version; its files are not looked at.

        Raises:
            ArtifactNotFoundError: the version is not in the store.
            ArtifactCorruptError: the manifest is not the one of the digest.
        """
        manifest = read_manifest(self.version_dir(model, digest), digest)
        _check_line(manifest, model)
        return manifest

    def fetch(self, model: str, digest: str, target: Path) -> ModelManifest:
        """Copy a version into a folder, every byte checked, the manifest last. Doing it again is harmless.

        Args:
            model: the model line.
            digest: the version.
            target: folder for the copy; it is created if missing, its parent must exist.

        Raises:
            ArtifactNotFoundError: the version is not in the store.
            ArtifactCorruptError: its bytes are not those of the digest.
            ArtifactConflictError: the folder holds another version already.
        """
        version = self.read(model, digest)
        make_folder(target, below=target.parent)
        _create_all(target, version.manifest, version.files)
        return version.manifest

    def version_dir(self, model: str, digest: str) -> Path:
        """Folder of a version, whether it exists or not."""
        return paths.version_dir(self.root, self.namespace, model, digest)

    def captured_dir(self, model: str, model_deployment: str) -> Path:
        """Folder of the rows that a ModelDeployment captured, whether it exists or not."""
        return paths.captured_dir(self.root, self.namespace, model, model_deployment)

    def file(self, path: str) -> Path:
        """A file of the namespace's own, for data that lie in the store.

        Raises:
            ArtifactError: the path leads out of the namespace's folder.
        """
        return paths.inside(paths.namespace_dir(self.root, self.namespace), path)


def _create_all(folder: Path, manifest: ModelManifest, files: Mapping[str, bytes]) -> None:
    for name in sorted(files):
        create(folder / paths.file_name(name), files[name])
    # The manifest says that the version is complete, so the other names must be on the disk before it.
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
            "names, digests and sizes must agree, and the manifest is not one of them"
        )


def _check_line(manifest: ModelManifest, model: str) -> None:
    if manifest.model != model:
        raise ArtifactCorruptError(
            f"version {manifest.digest} belongs to the model line {manifest.model!r}, not {model!r}"
        )
