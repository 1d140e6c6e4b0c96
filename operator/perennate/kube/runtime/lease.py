"""Leader election with a Lease: at most one operator acts, and a standby takes over when the leader is gone.

It runs in its own thread with its own event loop and connection, so that a blocked operator does not delay renewals.
A leader that does not renew within the deadline has lost the Lease.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from perennate.api.meta import Manifest
from perennate.api.wellknown import LABEL_NAME, LABEL_PART_OF, PART_OF
from perennate.kube.runtime.client import ApiError, KubeClient
from perennate.kube.runtime.resources import LEASE

LEASE_NAME: Final = "perennate-operator"
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Timing:
    """Durations in seconds, as in client-go: of the Lease, until it must be renewed, and between two attempts."""

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry: float = 2.0


class Elector:
    """Acquires the Lease in `namespace` as `identity` and renews it.

    Expiry is measured with our own clock from the last change of the Lease, never from times that another host wrote.

    Args:
        client: the API server.
        namespace: namespace of the Lease.
        identity: name of this operator in the Lease.
        timing: durations.
        clock: monotonic time in seconds.
        now: the wall clock, in UTC.
    """

    def __init__(
        self,
        client: KubeClient,
        *,
        namespace: str,
        identity: str,
        timing: Timing = Timing(),
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._identity = identity
        self._timing = timing
        self._clock = clock
        self._now = now
        self._lease: Manifest | None = None
        self._seen: tuple[str, float] = ("", 0.0)

    async def acquire(self) -> None:
        """Wait until this operator holds the Lease."""
        _logger.info("Waiting for the Lease %s/%s as %s", self._namespace, LEASE_NAME, self._identity)
        while True:
            if await self._attempt():
                _logger.info("%s is the leader", self._identity)
                return
            await asyncio.sleep(self._timing.retry * random.uniform(1.0, 1.2))  # noqa: S311

    async def hold(self) -> None:
        """Renew the Lease and return when it is lost. Cancel to stop leading."""
        renewed = self._clock()
        while True:
            await asyncio.sleep(self._timing.retry)
            remaining = renewed + self._timing.renew_deadline - self._clock()
            if remaining <= 0:
                _logger.error("The Lease was not renewed within %g s", self._timing.renew_deadline)
                return
            try:
                async with asyncio.timeout(remaining):
                    began = self._clock()
                    if await self._attempt():
                        renewed = began
                    elif self._holder() not in ("", self._identity):
                        _logger.error("The Lease is now held by %s", self._holder())
                        return
            except TimeoutError:
                continue

    async def release(self) -> None:
        """Release the Lease, so that a standby need not wait until it expires."""
        if self._lease is None or self._holder() != self._identity:
            return
        spec = {**self._lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": self._timestamp()}
        try:
            await self._client.replace({**self._lease, "spec": spec})
        except ApiError as error:
            _logger.warning("The Lease was not released: %s", error)

    async def _attempt(self) -> bool:
        """Acquire or renew the Lease unless another operator holds it. Returns whether this operator holds it.

        A leader writes on top of its last version and reads only if that fails.
        """
        try:
            if self._lease is None or self._holder() != self._identity:
                self._lease = await self._client.get(LEASE, self._namespace, LEASE_NAME)
            if self._lease is None:
                self._lease = await self._client.create(self._new())
                return True
            if not self._can_acquire(self._lease):
                return False
            self._lease = await self._client.replace({**self._lease, "spec": self._spec(self._lease["spec"])})
        except ApiError as error:
            _logger.warning("The Lease could not be acquired or renewed: %s", error)
            self._lease = None if error.conflict or error.not_found else self._lease
            return False
        return True

    def _can_acquire(self, lease: Manifest) -> bool:
        holder = lease["spec"].get("holderIdentity") or ""
        if holder in ("", self._identity):
            return True
        version = str(lease["metadata"]["resourceVersion"])
        if version != self._seen[0]:
            self._seen = (version, self._clock())
        duration = max(self._timing.duration, float(lease["spec"].get("leaseDurationSeconds") or 0))
        return self._clock() - self._seen[1] >= duration

    def _holder(self) -> str:
        return str(self._lease["spec"].get("holderIdentity") or "") if self._lease is not None else ""

    def _new(self) -> Manifest:
        labels = {LABEL_NAME: PART_OF, LABEL_PART_OF: PART_OF}
        return {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": {"name": LEASE_NAME, "namespace": self._namespace, "labels": labels},
            "spec": self._spec({}),
        }

    def _spec(self, before: Manifest) -> Manifest:
        now = self._timestamp()
        ours = before.get("holderIdentity") == self._identity
        return {
            **before,
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(self._timing.duration),
            "acquireTime": before.get("acquireTime", now) if ours else now,
            "renewTime": now,
            "leaseTransitions": int(before.get("leaseTransitions", 0)) + (0 if ours else 1),
        }

    def _timestamp(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
