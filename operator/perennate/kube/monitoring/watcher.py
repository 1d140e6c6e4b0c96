"""Watches one target between passes: its reference profile, its window of counts, the result of the last scrape."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from functools import partial
from typing import Final

from perennate.drift.data.errors import CountsError, WindowError
from perennate.drift.profile.layout import Layout
from perennate.drift.profile.profile import Profile
from perennate.drift.windows.window import Window
from perennate.kube.monitoring.addresses import address_of
from perennate.kube.monitoring.reference import ReferenceSearch
from perennate.kube.monitoring.rotation import PODS_A_VISIT, PodRotation
from perennate.kube.monitoring.scrape import MetricsSource, ScrapeFailure
from perennate.kube.monitoring.serving_pods import ServingPods
from perennate.kube.monitoring.shares import LARGE_FEATURES, Shares
from perennate.kube.monitoring.visit import Visit
from perennate.kube.monitoring.window_memory import pods_of, sub_windows_of
from perennate.kube.monitoring.window_store import WindowStore
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.resources import Key
from perennate.reconcilers.pods import is_ready, is_terminating
from perennate.reconcilers.watch import Watch, WatchState

SAVES: Final = 24
"""A window is saved at most this many times in its length."""
_ERRORS_LIMIT: Final = 3
_OTHER_VERSION_BYTES: Final = 512 * 1024
_logger = logging.getLogger(__name__)


class TargetWatcher:
    """Scrapes the pods of the target of a watch and adds up what they counted.

    The first window continues the saved one. After a pause (`paused`) it starts empty, without what the pods counted
    until then.
    """

    def __init__(
        self, key: Key, watch: Watch, store: WindowStore, *, shares: Shares | None = None, paused: bool = False
    ) -> None:
        self.key = key
        self.watch = watch
        self._store = store
        self._shares = shares or Shares()
        self._first = True
        self._paused = paused
        self._saved_changes = 0
        self._saved_at = 0.0
        self.evaluation_due = False
        self.attempted = False
        self._window: Window | None = None
        self._search = ReferenceSearch()
        self._rotation = PodRotation()
        self._names: dict[str, str] = {}
        self._scraped = False
        self._needed = 0
        self._pods_total = 0

    def update(self, watch: Watch) -> None:
        """Follow a changed spec or target. The window starts empty unless both watches share it."""
        before, self.watch = self.watch, watch
        if not watch.shares_window_with(before):
            self._window = None
            self._needed = 0
            self._search = ReferenceSearch()
            self.release()

    def state(self, watch: Watch, now: float) -> WatchState:
        """What is known of a watch at `now`, in seconds since 1970.

        `watch` may be newer than the current one: then profile and sample are None unless both share a window.
        """
        window = self._window if watch.shares_window_with(self.watch) else None
        return WatchState(
            attempted=self.attempted,
            profile=window.profile if window is not None else None,
            profile_error=self._search.error if watch.shares_window_with(self.watch) else None,
            sample=window.sample(now) if window is not None and self._scraped else None,
            pods_total=self._pods_total,
            pods_answering=self._rotation.answering,
            pods_seen=self._rotation.seen_since(now - watch.window),
            errors=self._errors(),
            evaluation_due=self.evaluation_due,
        )

    @property
    def summary(self) -> tuple[bool, bool, bool, bool]:
        """What a pass depends on besides counts: a change of it enqueues the key."""
        answering, expected = self._rotation.answering > 0, self._pods_total > 0
        return (self._window is not None, self._search.error is not None, answering, expected)

    def _errors(self) -> tuple[str, ...]:
        """The first errors in the last responses of the pods."""
        found = (f"pod {self._names.get(uid, uid)}: {error}" for uid, error in self._rotation.errors.items())
        return tuple(sorted(found)[:_ERRORS_LIMIT])

    async def scrape(self, source: MetricsSource, pods: ServingPods, now: float) -> None:
        """Read the counts of ready pods of the target. Errors go into the state; they are not raised.

        A visit asks a limited number of pods within a limited time. The others come first in the next visit.
        """
        watch = self.watch
        addresses = await self._addresses(pods)
        if self.watch is not watch:
            return
        self._pods_total = len(addresses)
        self._follow(addresses)
        visit = Visit(self.key.namespace, source, self._shares)
        if self._window is None and addresses:
            await self._begin_window(visit, addresses, now)
        if self._window is not None and self.watch is watch:
            self._follow(addresses)
            await visit.each(self._rotation.due(now), lambda uid: self._ask(visit, watch, uid, addresses[uid], now))
            self._scraped = True
            self._account()

    async def _addresses(self, pods: ServingPods) -> dict[str, str]:
        """Addresses of the ready pods by uid."""
        watch = self.watch
        if watch.target_uid is None:
            return {}
        found = await pods.of(self.key.namespace, watch.target, watch.target_uid)
        ready = [pod for pod in found if is_ready(pod) and not is_terminating(pod)]
        self._names = {pod["metadata"]["uid"]: str(pod["metadata"]["name"]) for pod in ready}
        return {pod["metadata"]["uid"]: address for pod in ready if (address := address_of(pod)) is not None}

    async def _ask(self, visit: Visit, watch: Watch, uid: str, address: str, now: float) -> None:
        """Add the counts of one pod, unless spec or target change meanwhile: they would be of another watch."""
        window = self._window
        if window is None or self.watch is not watch:
            return
        self._rotation.asked(uid)
        # Pods of another version, during a rollout, may have more to say.
        limit = max(window.layout.document_limit, _OTHER_VERSION_BYTES)
        async with visit.document(address, "/counts", limit=limit) as response:
            error = response.message if isinstance(response, ScrapeFailure) else None
            if isinstance(response, bytes):
                async with visit.turn():
                    error = self._add(uid, response, now) if self.watch is watch else None
        if response is None or self.watch is not watch:
            return
        if error is None:
            self._rotation.succeeded(uid, now)
        else:
            self._rotation.failed(uid, error, now)

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
        turns = self._shares.worker(large=len(window.profile.features) > LARGE_FEATURES)
        async with turns.take(self.key.namespace):
            content = await asyncio.to_thread(window.state().to_bytes)
        try:
            await self._store.write(watch.drift_window, content)
        except ApiError as error:
            if not error.namespace_terminating:
                _logger.warning("%s: its window was not saved: %s", self.key, error)
            return
        if window is self._window:
            self._saved_changes = changes

    async def _begin_window(self, visit: Visit, addresses: dict[str, str], now: float) -> None:
        """Find the profile; then continue the saved window, which is read once, or start an empty one."""
        watch, search = self.watch, self._search
        if watch.profile_digest is None or not self._shares.windows.fits(self._needed):
            return
        profile = await search.find(visit, watch.profile_digest, addresses, self._rotation, now)
        if profile is None or self.watch is not watch:
            return
        content = await self._store.read(watch.drift_window) if self._first and not self._paused else None
        started = partial(self._started, watch, profile, content, now)
        window = await visit.in_thread(started, large=len(profile.features) > LARGE_FEATURES)
        if self.watch is not watch:
            return
        if self._paused:
            window.ignore_earlier(until=now)
        self._window, self._first, self._paused = window, False, False
        self._account()
        self._saved_changes, self._saved_at = window.changes, now

    def _started(self, watch: Watch, profile: Profile, content: bytes | None, now: float) -> Window:
        """A window that continues the saved content, if that can be used."""
        length = watch.window
        interval = max(watch.scrape_interval, length / sub_windows_of(Layout(profile).size))
        window = Window(profile, length=length, scrape_interval=interval)
        window.layout.prepare()
        if content is not None:
            try:
                window = Window.from_bytes(content, profile, length=length, scrape_interval=interval, now=now)
            except WindowError as error:
                _logger.warning("%s: its window starts empty because the saved one cannot be used: %s", self.key, error)
            else:
                _logger.info("%s: its window continues with %d rows", self.key, window.sample(now).rows)
        return window

    def _follow(self, ready: Iterable[str]) -> None:
        """Follow as many pods as can be visited twice in the length of the window, and as its memory allows."""
        watch, window = self.watch, self._window
        limit = PODS_A_VISIT * max(1, int(watch.window / watch.scrape_interval / 2))
        if window is not None:
            limit = min(limit, pods_of(window.layout.size))
        self._rotation.follow(ready, limit=limit, interval=watch.scrape_interval)

    def drop_window(self) -> None:
        """Give up the window, because all windows together take too much memory. It continues when there is enough."""
        if self._window is None:
            return
        self._needed, self._window, self._first = self._window.memory, None, True
        self._search.error = (
            f"the window of this policy was dropped to save memory: it takes {_mib(self._needed)}, all windows may "
            f"take {_mib(self._shares.windows.total)}, and those of this namespace take the most; watch a "
            "model with fewer features, delete policies, or give the operator more memory"
        )

    def release(self) -> None:
        """Nothing is watched any more."""
        self._shares.windows.release(self)

    def _account(self) -> None:
        """Account for the memory of the window. Too large windows are dropped, this one or others."""
        if self._window is not None:
            for watcher in self._shares.windows.hold(self, self.key.namespace, self._window.memory):
                watcher.drop_window()

    def _add(self, pod: str, content: bytes, now: float) -> str | None:
        """Add a counts document to the window. Returns the error in it, None if it is valid."""
        if self._window is None:
            return None
        try:
            self._window.add(content, pod=pod, now=now)
        except CountsError as error:
            return f"/counts: {error}"[:300]
        return None


def _mib(amount: int) -> str:
    return f"{amount / 2**20:.0f} MiB"
