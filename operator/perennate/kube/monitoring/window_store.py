"""Saves windows in DriftWindows. Their content is not trusted, and those of other owners are not overwritten."""

from __future__ import annotations

import logging

from perennate.api.meta import Manifest
from perennate.api.wellknown import FIELD_MANAGER
from perennate.builders.window import content_of, with_content
from perennate.kube.runtime.client import ApiError, KubeClient
from perennate.kube.runtime.resources import DRIFT_WINDOW, Key, controller_of, key_of

_logger = logging.getLogger(__name__)


class WindowStore:
    """Reads and writes the DriftWindows that `builders.window` builds."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client
        self._uids: dict[Key, str] = {}

    async def read(self, window: Manifest) -> bytes | None:
        """The saved content; None if there is none, or if it cannot be used, which is logged.

        Raises:
            ApiError: the API server did not respond. Starting with an empty window would then lose the saved one.
        """
        key = key_of(window)
        try:
            found = await self._client.get(DRIFT_WINDOW, key.namespace, key.name)
        except ApiError as error:
            if not error.forbidden:
                raise
            _logger.warning("%s: the window cannot be read and starts empty: %s", key, error)
            return None
        if found is None or not self._is_ours(window, found):
            return None
        try:
            return content_of(found)
        except ValueError as error:
            _logger.warning("%s: the window cannot be read and starts empty: %s", key, error)
            return None

    async def write(self, window: Manifest, content: bytes) -> None:
        """Save the content, unless another owner has the name.

        Raises:
            ApiError: the API server rejected the write, or did not respond.
        """
        key, document = key_of(window), with_content(window, content)
        uid = self._uids.get(key)
        if uid is None:
            uid = await self._create(document)
        if uid is not None:
            # With the uid, the API server rejects the write if the object was deleted, or created again, meanwhile.
            metadata = {**document["metadata"], "uid": uid}
            try:
                await self._client.apply({**document, "metadata": metadata}, manager=FIELD_MANAGER)
            except ApiError as error:
                if error.conflict or error.not_found:
                    self._uids.pop(key, None)
                raise

    def forget(self, window: Manifest) -> None:
        """Drop what is cached about a DriftWindow that is gone."""
        self._uids.pop(key_of(window), None)

    async def _create(self, document: Manifest) -> str | None:
        """Create the DriftWindow. If it exists already and is ours, return its uid: then it must still be written."""
        try:
            stored = await self._client.create(document)
        except ApiError as error:
            if not error.already_exists:
                raise
            key = key_of(document)
            found = await self._client.get(DRIFT_WINDOW, key.namespace, key.name)
            return self._uids[key] if found is not None and self._is_ours(document, found) else None
        self._uids[key_of(stored)] = stored["metadata"]["uid"]
        return None

    def _is_ours(self, wanted: Manifest, found: Manifest) -> bool:
        """Whether the owner of the wanted DriftWindow controls the found one; if so, cache its uid."""
        key, owner, controller = key_of(wanted), controller_of(wanted), controller_of(found)
        if owner is None or controller is None or controller["uid"] != owner["uid"]:
            _logger.warning("%s exists and is not controlled by its DriftPolicy: the window is not saved", key)
            return False
        self._uids[key] = found["metadata"]["uid"]
        return True
