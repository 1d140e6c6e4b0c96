"""Chooses the pods of a target that a visit asks: a limited number, in turn, and failing ones less often."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

PODS_A_VISIT: Final = 50
"""Maximum number of pods that one visit asks."""
MAX_BACK_OFF: Final = 60.0
"""Maximum seconds between two requests to a failing pod, unless the scrape interval is longer."""


@dataclass
class _Pod:
    """What is known of one pod: when it was asked last, with which results, and when it may be asked again."""

    asked: int = 0
    failures: int = 0
    not_before: float = 0.0
    seen: float | None = None
    error: str | None = None


class PodRotation:
    """The pods of one target, by uid. Times in seconds."""

    def __init__(self) -> None:
        self._pods: dict[str, _Pod] = {}
        self._turn = 0
        self._interval = 0.0

    @property
    def answering(self) -> int:
        """Pods whose last response was good."""
        return sum(pod.seen is not None and pod.failures == 0 for pod in self._pods.values())

    @property
    def errors(self) -> dict[str, str]:
        """Errors in the last responses, by pod."""
        return {uid: pod.error for uid, pod in self._pods.items() if pod.error is not None}

    def seen_since(self, time: float) -> int:
        """Number of pods with a good response at this time or later."""
        return sum(pod.seen is not None and pod.seen >= time for pod in self._pods.values())

    def follow(self, ready: Iterable[str], *, limit: int, interval: float) -> None:
        """Keep to at most `limit` of the ready pods: those that are followed already, then others.

        A window needs two scrapes of a pod in its length, so with very many pods it follows a fixed part of them.
        `interval` is that of the visits.
        """
        self._interval = interval
        ready = sorted(ready)
        kept = [uid for uid in ready if uid in self._pods][:limit]
        added = [uid for uid in ready if uid not in self._pods][: limit - len(kept)]
        self._pods = {uid: self._pods.get(uid, _Pod()) for uid in (*kept, *added)}

    def due(self, now: float) -> list[str]:
        """The pods to ask now, at most `PODS_A_VISIT`: those that were asked longest ago come first."""
        allowed = [uid for uid, pod in self._pods.items() if pod.not_before <= now]
        return sorted(allowed, key=lambda uid: (self._pods[uid].asked, uid))[:PODS_A_VISIT]

    def asked(self, uid: str) -> None:
        """A request to the pod begins."""
        self._turn += 1
        self._pods[uid].asked = self._turn

    def succeeded(self, uid: str, now: float) -> None:
        """The pod gave a good response."""
        pod = self._pods[uid]
        pod.failures, pod.not_before, pod.seen, pod.error = 0, 0.0, now, None

    def failed(self, uid: str, error: str, now: float) -> None:
        """The pod gave no good response. From the second failure in a row on, it is asked less often."""
        pod = self._pods[uid]
        delay = self._interval * (2 ** min(pod.failures, 16) - 1)
        pod.failures, pod.error, pod.not_before = pod.failures + 1, error, now + min(delay, MAX_BACK_OFF)
