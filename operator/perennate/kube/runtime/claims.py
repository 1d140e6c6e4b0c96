"""Whether PersistentVolumeClaims exist: read live, for they are not watched, and remembered for a minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from perennate.kube.runtime.client import KubeClient
from perennate.kube.runtime.resources import CLAIM

REMEMBERED_SECONDS: Final = 60.0


class Claims:
    """Knows claims by namespace and name.

    Only their existence is remembered: one that is missing is looked for each time.
    """

    def __init__(self, client: KubeClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._seen: dict[tuple[str, str], float] = {}

    async def exists(self, namespace: str, name: str, *, fresh: bool = False) -> bool:
        """Whether the claim exists and is not being deleted.

        `fresh` asks the API server whatever is remembered: a namespace may have been deleted and made again since.
        """
        since = self._seen.get((namespace, name), -REMEMBERED_SECONDS)
        if not fresh and self._clock() - since < REMEMBERED_SECONDS:
            return True
        claim = await self._client.get(CLAIM, namespace, name)
        if claim is None or "deletionTimestamp" in claim["metadata"]:
            self._seen.pop((namespace, name), None)
            return False
        self.remember(namespace, name)
        return True

    def remember(self, namespace: str, name: str) -> None:
        """The claim was just seen."""
        now = self._clock()
        self._seen = {place: since for place, since in self._seen.items() if now - since < REMEMBERED_SECONDS}
        self._seen[namespace, name] = now
