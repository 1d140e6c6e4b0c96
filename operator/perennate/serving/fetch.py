"""The init container: copy the version out of the store, every byte checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.artifacts import ArtifactError, ModelStore

if TYPE_CHECKING:
    from pathlib import Path

    from perennate.api.documents.model_manifest import ModelManifest
    from perennate.serving.config import ServingSettings


def fetch(settings: ServingSettings) -> ModelManifest:
    """Copy the version to the model folder and, with capture, make the folder of captured rows. Again is harmless.

    Raises:
        ArtifactError: the version is not in the store, a byte of it is wrong, or a folder cannot be written.
    """
    serving = settings.serving
    store = ModelStore(settings.store_dir, serving.namespace)
    manifest = store.fetch(serving.model, serving.digest, settings.model_dir)
    if serving.capture is not None:
        _make_folder(store.captured_dir(serving.model, serving.model_deployment))
    return manifest


def _make_folder(folder: Path) -> None:
    """Make the folder before the kubelet does, which would make it root's."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(
            f"{folder} cannot be created for captured rows: {error.strerror}; "
            "the store needs write access for our user and free space"
        ) from error
