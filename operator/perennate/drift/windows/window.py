"""Adding up, in the operator, what all pods of a version counted in the last while.

Pods count from their start and forget everything when they go. So it is differences between two scrapes of one pod
since one start that are added, never the counts themselves, and never differences of sums over pods. They go into
tumbling sub-windows, whose number bounds the memory and whose spread shows how dependent rows are.
"""

from __future__ import annotations

import math

import numpy as np

from perennate.drift.data.arrays import Ints
from perennate.drift.data.errors import CountsError
from perennate.drift.data.parsing import decode_digest
from perennate.drift.profile.layout import Layout
from perennate.drift.profile.profile import Profile
from perennate.drift.recording.counts import Counts
from perennate.drift.recording.validation import read_counts, validate_counts
from perennate.drift.windows.reference import ReferenceTables
from perennate.drift.windows.sample import Sample
from perennate.drift.windows.state import SUB_WINDOWS, PodCounts, WindowState, read_state
from perennate.drift.windows.sub_windows import SubWindows, SubWindowSums

WARM_UP = 24
"""No verdict before a 24th of the window has been seen."""


class Window:
    """Counts of the pods that serve one version, over a sliding time. One profile has one window.

    Args:
        profile: reference; documents that count against another are left out.
        length: of the window, in seconds.
        scrape_interval: seconds between two scrapes; a sub-window is not shorter.

    Attributes:
        changes: how often a scrape told something new: while it stands still, so does what is worth keeping.
    """

    def __init__(self, profile: Profile, *, length: float, scrape_interval: float) -> None:
        if not (length > 0 and 0 < scrape_interval <= length):
            raise ValueError(f"0 < scrape_interval <= length must hold, got {scrape_interval} and {length}")
        self.layout = Layout(profile)
        self._sub_window_sums = SubWindowSums(ReferenceTables(self.layout))
        self.length = float(length)
        self.scrape_interval = float(scrape_interval)
        self.step = max(self.scrape_interval, self.length / SUB_WINDOWS)
        self._sums: dict[int, Ints] = {}
        self._pods: dict[str, PodCounts] = {}
        self._seen_since = math.inf
        """No pod was last seen before."""
        self._since: float | None = None
        self._forgotten: float | None = None
        self.changes = 0
        self._latest: tuple[tuple[int, float], SubWindows] | None = None

    @property
    def profile(self) -> Profile:
        """Reference that is counted against."""
        return self.layout.profile

    def add(self, document: object, *, pod: str, now: float) -> bool:
        """Add what a pod counted since it was last scraped.

        A pod that is new and started inside the window counts from zero; an older one only gives a base line, since
        nobody knows when its rows came. A new start, or any cell that fell, is a restart and counts from zero. Scrapes
        of one pod must be given in the order in which they were answered.

        Args:
            document: a counts document as bytes or as parsed JSON, or Counts.
            pod: uid of the pod.
            now: time of the scrape, in seconds since 1970.

        Returns:
            whether the document counts against this window's profile; if not, nothing was added.

        Raises:
            CountsError: the document is malformed.
        """
        if _digest_of(document) not in {None, self.profile.digest}:
            return False
        counts = self._read(document)
        known = self._pods.get(pod)
        if known is not None and counts.start < known.start:
            return True
        self._pods[pod] = PodCounts(counts.start, counts.cells, now)
        self._seen_since = min(self._seen_since, now)
        increase = self._increase(counts, known, now)
        self.changes += increase is None or bool(increase.any())
        # A pod's clock may run ahead of ours: nothing was seen after now.
        seen_from = now if increase is None else min(now, max(counts.start, now - self.length))
        self._since = seen_from if self._since is None else min(self._since, seen_from)
        if increase is not None and increase.any():
            slot = int(now // self.step)
            self._sums[slot] = self._sums[slot] + increase if slot in self._sums else increase.copy()
        self._prune(now)
        return True

    def sample(self, now: float) -> Sample:
        """What the window holds at `now`; a copy that later scrapes do not change."""
        known, key = self._latest, (self.changes, (now - self.length) // self.step)
        if known is None or known[0] != key:
            known = self._latest = key, self._sub_window_sums.of(self._inside_window(now))
        found = known[1]
        since = now if self._since is None else max(self._since, now - self.length)
        return Sample(self._sub_window_sums.reference, found, since, now, warm=now - since >= self.length / WARM_UP)

    def ignore_earlier(self, *, until: float) -> None:
        """Leave out what pods counted that began before this time and are not known yet; what they gain counts.

        Args:
            until: seconds since 1970.
        """
        self._forgotten = until if self._forgotten is None else max(self._forgotten, until)

    def state(self) -> WindowState:
        """What is worth keeping; a copy that later scrapes do not change."""
        return WindowState(
            profile_digest=self.profile.digest,
            length=self.length,
            scrape_interval=self.scrape_interval,
            since=self._since,
            forgotten=self._forgotten,
            sums=dict(self._sums),
            pods=dict(self._pods),
        )

    @classmethod
    def from_bytes(
        cls, content: bytes, profile: Profile, *, length: float, scrape_interval: float, now: float
    ) -> Window:
        """The window that goes on where `state().to_bytes()` was taken.

        Args:
            content: the bytes; nobody needs to have looked at them.
            profile: reference that is counted against now.
            length: as of a new window.
            scrape_interval: as of a new window.
            now: seconds since 1970.

        Raises:
            WindowError: the bytes cannot be used for this window; start a new one.
        """
        window = cls(profile, length=length, scrape_interval=scrape_interval)
        state = read_state(content, window.layout, length=length, scrape_interval=scrape_interval, now=now)
        window._since, window._forgotten = state.since, state.forgotten
        window._sums, window._pods = dict(state.sums), dict(state.pods)
        window._seen_since = min((pod.seen for pod in window._pods.values()), default=math.inf)
        window._prune(now)
        return window

    def _read(self, document: object) -> Counts:
        if isinstance(document, Counts):
            return document
        if isinstance(document, bytes):
            return read_counts(document, self.layout)
        return validate_counts(document, self.profile, layout=self.layout)

    def _increase(self, counts: Counts, known: PodCounts | None, now: float) -> Ints | None:
        """What came since the last scrape; None if that cannot be told."""
        if known is None:
            # A pod that began before others were forgotten may be one of them: it was counted, nobody knows how far.
            known_start = self._forgotten is None or counts.start > self._forgotten
            return counts.cells if known_start and counts.start >= now - self.length else None
        if counts.start != known.start or self._decreased(counts.cells, known.cells):
            return counts.cells
        return counts.cells - known.cells

    def _decreased(self, cells: Ints, before: Ints) -> bool:
        """Whether any cell that only ever grows fell."""
        return bool(np.any(cells[self.layout.growing] < before[self.layout.growing]))

    def _inside_window(self, now: float) -> dict[int, Ints]:
        """The sub-windows of which any moment lies inside the window: all, unless it left the oldest behind."""
        start = now - self.length
        if not self._sums or (min(self._sums) + 1) * self.step > start:
            return self._sums
        return {slot: sums for slot, sums in self._sums.items() if (slot + 1) * self.step > start}

    def _prune(self, now: float) -> None:
        """Forget what has left the window, and pods that were not seen for as long."""
        self._sums = self._inside_window(now)
        # Every scrape comes by here: to look at all pods each time would take longer than to read what they counted.
        if self._seen_since < now - self.length:
            self._pods = {name: pod for name, pod in self._pods.items() if pod.seen >= now - self.length}
            self._seen_since = min((pod.seen for pod in self._pods.values()), default=math.inf)


def _digest_of(document: object) -> str | None:
    """The digest of the profile that a document counts against, before any other field is decoded."""
    if isinstance(document, Counts):
        return document.profile_digest
    if isinstance(document, bytes):
        return decode_digest(document, CountsError)
    digest = document.get("profileDigest") if isinstance(document, dict) else None
    return digest if isinstance(digest, str) else None
