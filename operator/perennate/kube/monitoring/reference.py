"""Finds the reference profile of a watch: asks one pod at a time, and only if nobody has read the profile yet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Final

from perennate.drift.data.errors import ProfileError
from perennate.drift.profile.profile import MAX_BYTES, Profile
from perennate.kube.monitoring.rotation import PodRotation
from perennate.kube.monitoring.scrape import ScrapeFailure
from perennate.kube.monitoring.shares import LARGE_BYTES
from perennate.kube.monitoring.visit import Visit

PROFILE_ATTEMPTS: Final = 2
"""Maximum number of pods that a visit asks for the profile, one after the other."""


class ReferenceSearch:
    """Searches for a profile among the pods of a target.

    Attributes:
        error: why the last search found none; None if it found it, or none was made.
    """

    def __init__(self) -> None:
        self.error: str | None = None
        self._invalid: str | None = None

    async def find(
        self, visit: Visit, digest: str, addresses: Mapping[str, str], rotation: PodRotation, now: float
    ) -> Profile | None:
        """The profile with this digest; None if the pods that were asked do not have it.

        Args:
            visit: asks the pods.
            digest: of the profile, checked before it is read.
            addresses: of the pods, by uid.
            rotation: says which pods to ask, and learns which failed.
            now: time in seconds since 1970.
        """
        profile = visit.shares.profiles.get(digest)
        if profile is None and self._invalid != digest:
            profile = await self._ask(visit, digest, addresses, rotation, now)
        if profile is not None:
            self.error = None
            visit.shares.profiles[digest] = profile
        return profile

    async def _ask(
        self, visit: Visit, digest: str, addresses: Mapping[str, str], rotation: PodRotation, now: float
    ) -> Profile | None:
        errors = []
        for uid in rotation.due(now)[:PROFILE_ATTEMPTS]:
            rotation.asked(uid)
            async with visit.document(addresses[uid], "/profile", limit=MAX_BYTES) as response:
                if response is None:
                    break
                found = response if isinstance(response, ScrapeFailure) else await self._read(visit, response, digest)
            if isinstance(found, Profile):
                return found
            errors.append(found.message)
            if found is response:
                rotation.failed(uid, found.message, now)
        self.error = errors[0] if errors else self.error
        return None

    async def _read(self, visit: Visit, content: bytes, digest: str) -> Profile | ScrapeFailure:
        """Read a profile, if it has the digest. An invalid one with the right digest is invalid on every pod."""
        async with visit.turn():
            found = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if found != digest:
            return ScrapeFailure(f"/profile: document: must have the digest {digest}, got {found}")
        try:
            return await visit.in_thread(partial(Profile.from_bytes, content), large=len(content) > LARGE_BYTES)
        except ProfileError as error:
            self._invalid = digest
            return ScrapeFailure(f"/profile: {error}"[:300])
