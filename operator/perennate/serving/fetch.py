"""The init container: copy the version from the store and verify every byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.artifacts import ArtifactError, ModelStore

if TYPE_CHECKING:
    from pathlib import Path

    from perennate.api.documents.model_manifest import ModelManifest
    from perennate.serving.config import ServingSettings


def fetch(settings: ServingSettings) -> ModelManifest:
    """Copy the version to the model folder and, with capture, create the folder of captured rows. Idempotent.

    Raises:
        ArtifactError: the version is not in the store or is corrupt, or a folder cannot be written.
    """
    serving = settings.serving
    store = ModelStore(settings.store_dir, serving.namespace)
    manifest = store.fetch(serving.model, serving.digest, settings.model_dir)
    if serving.capture is not None:
        _make_folder(store.captured_dir(serving.model, serving.model_deployment))
    return manifest


def _make_folder(folder: Path) -> None:
    """Create the folder before the kubelet does, which would make root its owner."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(
            f"{folder} cannot be created for captured rows: {error.strerror}; "
            "the store needs free space and write access for the user of the pod"
        ) from error
