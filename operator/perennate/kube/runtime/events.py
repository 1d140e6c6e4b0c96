"""Emits Kubernetes Events."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from perennate.api.meta import Manifest
from perennate.kube.runtime.client import ApiError, KubeClient
from perennate.kube.runtime.resources import EVENT
from perennate.reconcilers.plan import Event

COMPONENT: Final = "perennate"
_MESSAGE_LIMIT: Final = 1024
_logger = logging.getLogger(__name__)


class EventEmitter:
    """Emits each Event of a transition once, also if the pass is repeated after a crash.

    The name of an Event is derived from the observed version of the object, so the API server rejects a duplicate.
    """

    def __init__(self, client: KubeClient, *, now: Callable[[], datetime], instance: str) -> None:
        self._client = client
        self._now = now
        self._instance = instance

    async def emit(self, manifest: Manifest, events: Iterable[Event]) -> None:
        """Emit the Events about an object as it was observed. Best effort: a failure is logged."""
        for event in events:
            try:
                await self._client.create(self._document(manifest, event))
            except ApiError as error:
                if not error.already_exists:
                    _logger.warning("An Event was not emitted: %s", error)

    def _document(self, manifest: Manifest, event: Event) -> Manifest:
        metadata = manifest["metadata"]
        now = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        identity = "/".join((metadata["uid"], metadata["resourceVersion"], event.reason, event.message))
        return {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.kind,
            "metadata": {
                "name": f"{metadata['name']}.{hashlib.sha256(identity.encode()).hexdigest()[:16]}",
                "namespace": metadata["namespace"],
            },
            "involvedObject": {
                "apiVersion": manifest["apiVersion"],
                "kind": manifest["kind"],
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
            "type": event.type,
            "reason": event.reason,
            "message": event.message[:_MESSAGE_LIMIT],
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._instance,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
