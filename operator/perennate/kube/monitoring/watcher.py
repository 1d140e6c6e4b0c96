"""Watches one target between passes: its reference profile, its window of counts, the result of the last scrape."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from perennate.api.meta import Manifest
from perennate.drift.data.errors import CountsError, ProfileError, WindowError
from perennate.drift.data.parsing import decode_digest
from perennate.drift.profile.profile import Profile
from perennate.drift.windows.window import Window
from perennate.kube.monitoring.scrape import MetricsSource, ScrapeFailure
from perennate.kube.monitoring.serving_pods import ServingPods, address_of
from perennate.kube.monitoring.window_store import WindowStore
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.resources import Key
from perennate.reconcilers.pods import is_ready, is_terminating
from perennate.reconcilers.watch import Watch, WatchState

SAVES: Final = 24
"""A window is saved at most this many times in its length."""
_ERRORS_LIMIT: Final = 3
_logger = logging.getLogger(__name__)


class TargetWatcher:
    """Scrapes the pods of the target of a watch and adds up what they counted.

    The first window continues the saved one. After a pause (`paused`) it starts empty, without what the pods counted
    until then.
    """

    def __init__(self, key: Key, watch: Watch, store: WindowStore, *, paused: bool = False) -> None:
        self.key = key
        self.watch = watch
        self._store = store
        self._first = True
        self._paused = paused
        self._saved_changes = 0
        self._saved_at = 0.0
        self.evaluation_due = False
        self.attempted = False
        self._window: Window | None = None
        self._profile_error: str | None = None
        self._scraped = False
        self._pods_total = 0
        self._pods_answering = 0
        self._errors: tuple[str, ...] = ()

    def update(self, watch: Watch) -> None:
        """Follow a changed spec or target. The window starts empty unless both watches share it."""
        before, self.watch = self.watch, watch
        if not watch.shares_window_with(before):
            self._window = None
            self._profile_error = None

    def state(self, watch: Watch, now: float) -> WatchState:
        """What is known of a watch at `now`, in seconds since 1970.

        `watch` may be newer than the current one: then profile and sample are None unless both share a window.
        """
        window = self._window if watch.shares_window_with(self.watch) else None
        return WatchState(
            attempted=self.attempted,
            profile=window.profile if window is not None else None,
            profile_error=self._profile_error if watch.shares_window_with(self.watch) else None,
            sample=window.sample(now) if window is not None and self._scraped else None,
            pods_total=self._pods_total,
            pods_answering=self._pods_answering,
            errors=self._errors,
            evaluation_due=self.evaluation_due,
        )

    @property
    def summary(self) -> tuple[bool, bool, bool, bool]:
        """What a pass depends on besides counts: a change of it enqueues the key."""
        answering, expected = self._pods_answering > 0, self._pods_total > 0
        return (self._window is not None, self._profile_error is not None, answering, expected)

    async def scrape(self, source: MetricsSource, pods: ServingPods, now: float) -> None:
        """Read the counts of every ready pod of the target. Errors go into the state; they are not raised."""
        watch = self.watch
        ready = await self._ready_pods(pods)
        addresses = {pod["metadata"]["uid"]: address for pod in ready if (address := address_of(pod)) is not None}
        if watch.profile_digest is not None and self._window is None and addresses:
            await self._fetch_profile(source, list(addresses.values()), now)
        responses = await asyncio.gather(*(source.read(address, "/counts") for address in addresses.values()))
        if self.watch is not watch:
            return  # The spec or the target changed meanwhile: these counts do not belong to the new watch.
        failures = []
        for uid, response in zip(addresses, responses, strict=True):
            failure = response.message if isinstance(response, ScrapeFailure) else self._add(uid, response, now)
            if failure is not None:
                failures.append(f"pod {_name_of(ready, uid)}: {failure}")
        self._pods_total = len(addresses)
        self._pods_answering = len(addresses) - len(failures)
        self._errors = tuple(sorted(failures)[:_ERRORS_LIMIT])
        self._scraped = True

    async def _ready_pods(self, pods: ServingPods) -> list[Manifest]:
        watch = self.watch
        if watch.target_uid is None:
            return []
        found = await pods.of(self.key.namespace, watch.target, watch.target_uid)
        return [pod for pod in found if is_ready(pod) and not is_terminating(pod)]

    async def save(self, now: float, *, at_once: bool = False) -> None:
        """Save the window if it changed and a save is due, or `at_once`.

        A failure is logged and retried when the next save is due: until then the pods still have the counts.
        """
        watch, window = self.watch, self._window
        if window is None or window.changes == self._saved_changes:
            return
        if now < self._saved_at + watch.window / SAVES and not at_once:
            return
        self._saved_at, changes = now, window.changes
        content = await asyncio.to_thread(window.state().to_bytes)
        try:
            await self._store.write(watch.config_map, content)
        except ApiError as error:
            if not error.namespace_terminating:
                _logger.warning("%s: its window was not saved: %s", self.key, error)
            return
        if window is self._window:
            self._saved_changes = changes

    async def _fetch_profile(self, source: MetricsSource, addresses: list[str], now: float) -> None:
        """Get the reference profile from the first pod that returns the expected one."""
        watch = self.watch
        reasons = []
        for address in addresses:
            response = await source.read(address, "/profile")
            profile = response if isinstance(response, ScrapeFailure) else _profile(response, watch.profile_digest)
            if self.watch is not watch:
                return
            if isinstance(profile, ScrapeFailure):
                reasons.append(profile.message)
            else:
                self._profile_error = None
                await self._begin_window(profile, now)
                return
        self._profile_error = reasons[0]

    async def _begin_window(self, profile: Profile, now: float) -> None:
        """Continue the saved window, which is read once, or start an empty one."""
        watch = self.watch
        content = await self._store.read(watch.config_map) if self._first and not self._paused else None
        if self.watch is not watch:
            return
        length, interval = watch.window, watch.scrape_interval
        window = Window(profile, length=length, scrape_interval=interval)
        if content is not None:
            try:
                window = Window.from_bytes(content, profile, length=length, scrape_interval=interval, now=now)
            except WindowError as error:
                _logger.warning("%s: its window starts empty because the saved one cannot be used: %s", self.key, error)
            else:
                _logger.info("%s: its window continues with %d rows", self.key, window.sample(now).rows)
        if self._paused:
            window.ignore_earlier(until=now)
        self._window, self._first, self._paused = window, False, False
        self._saved_changes, self._saved_at = window.changes, now

    def _add(self, pod: str, content: bytes, now: float) -> str | None:
        """Add a counts document to the window. Returns the error in it, None if it is valid."""
        try:
            if self._window is None:
                decode_digest(content, CountsError)
            else:
                self._window.add(content, pod=pod, now=now)
        except CountsError as error:
            return f"/counts: {error}"[:300]
        return None


def _profile(content: bytes, digest: str | None) -> Profile | ScrapeFailure:
    try:
        return Profile.from_bytes(content, digest=digest)
    except ProfileError as error:
        return ScrapeFailure(f"/profile: {error}"[:300])


def _name_of(pods: list[Manifest], uid: str) -> str:
    return next(str(pod["metadata"]["name"]) for pod in pods if pod["metadata"]["uid"] == uid)
