"""The init container: copy the version from the store and verify every byte, and copy the key of the model line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.wellknown import KEY_FILE
from perennate.artifacts import ArtifactError, ModelStore
from perennate.artifacts.versions.keys import copy_key

if TYPE_CHECKING:
    from pathlib import Path

    from perennate.api.documents.model_manifest import ModelManifest
    from perennate.serving.config import ServingSettings


def fetch(settings: ServingSettings) -> ModelManifest:
    """Copy the version to the model folder and the key of the model line to the key folder. Idempotent.

    The first pod of a model line creates its key. With capture, the folder of captured rows is created too.

    Raises:
        ArtifactError: the version is not in the store, version or key are corrupt, or a folder cannot be written.
    """
    serving = settings.serving
    store = ModelStore(settings.store_dir, serving.namespace)
    manifest = store.fetch(serving.model, serving.digest, settings.model_dir)
    _make_folder(settings.key_dir, "the key of the model line")
    copy_key(store.key(serving.model), settings.key_dir / KEY_FILE)
    if serving.capture is not None:
        _make_folder(store.captured_dir(serving.model, serving.model_deployment), "captured rows")
    return manifest


def _make_folder(folder: Path, purpose: str) -> None:
    """Create the folder before the kubelet does, which would make root its owner."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(
            f"{folder} cannot be created for {purpose}: {error.strerror}; "
            "its volume needs free space and write access for the user of the pod"
        ) from error
