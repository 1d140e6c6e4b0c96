"""Existence of PersistentVolumeClaims: not watched, so read live and cached for a minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from perennate.kube.runtime.client import KubeClient
from perennate.kube.runtime.resources import CLAIM

CACHE_SECONDS: Final = 60.0


class Claims:
    """Caches which claims exist, by namespace and name. A missing claim is looked up each time."""

    def __init__(self, client: KubeClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._seen: dict[tuple[str, str], float] = {}

    async def exists(self, namespace: str, name: str, *, fresh: bool = False) -> bool:
        """Whether the claim exists and is not being deleted.

        `fresh` bypasses the cache: the namespace may have been deleted and created again.
        """
        since = self._seen.get((namespace, name), -CACHE_SECONDS)
        if not fresh and self._clock() - since < CACHE_SECONDS:
            return True
        claim = await self._client.get(CLAIM, namespace, name)
        if claim is None or "deletionTimestamp" in claim["metadata"]:
            self._seen.pop((namespace, name), None)
            return False
        self.remember(namespace, name)
        return True

    def remember(self, namespace: str, name: str) -> None:
        """Record that the claim exists now."""
        now = self._clock()
        self._seen = {claim: since for claim, since in self._seen.items() if now - since < CACHE_SECONDS}
        self._seen[namespace, name] = now
