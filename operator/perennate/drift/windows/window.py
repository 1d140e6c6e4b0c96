"""Add up the counts of all pods of a version over a sliding window, in the operator.

Pods count from their start, and their counts are lost when they stop. So the window adds differences between two
scrapes of one pod with the same start, never the counts themselves, and never differences of sums over pods. It adds
them to tumbling sub-windows. Their number bounds the memory, and the variation between them shows how clustered rows
are.
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
from perennate.drift.recording.validation import check_lists, read_counts, validate_counts
from perennate.drift.windows.reference import ReferenceTables
from perennate.drift.windows.sample import Sample
from perennate.drift.windows.state import SUB_WINDOWS, PodCounts, WindowState, read_state
from perennate.drift.windows.sub_windows import SubWindows, SubWindowSums

_FIXED_VECTORS = 40
"""Memory of the profile, its tables and the newest sums, in vectors of counts."""
WARM_UP = 24
"""There is no verdict before 1/24 of the window has been observed."""


class Window:
    """Counts of the pods of one version over a sliding window, against one profile.

    Args:
        profile: the profile; documents that count against another one are ignored.
        length: length of the window in seconds.
        scrape_interval: seconds between two scrapes; a sub-window is not shorter.

    Attributes:
        changes: number of scrapes that changed the state; equal numbers mean that the stored state is up to date.
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
        """Every pod was scraped at this time or later."""
        self._since: float | None = None
        self._forgotten: float | None = None
        self.changes = 0
        self._latest: tuple[tuple[int, float], SubWindows] | None = None

    @property
    def profile(self) -> Profile:
        """The profile that is counted against."""
        return self.layout.profile

    @property
    def memory(self) -> int:
        """Bytes that the window takes, roughly: counts of sub-windows with their sums, of pods, and the reference."""
        return 8 * self.layout.size * (2 * len(self._sums) + len(self._pods) + _FIXED_VECTORS)

    def add(self, document: object, *, pod: str, now: float) -> bool:
        """Add what a pod counted since its last scrape.

        The first scrape of a pod that started inside the window is added as a whole. For an older pod it is only the
        base of later differences, because the times of its rows are unknown. A new start time or a counter that
        decreased is a restart, and the counts are added as a whole. Pass the scrapes of one pod in the order of their
        answers.

        Args:
            document: a counts document as bytes or as parsed JSON, or Counts.
            pod: UID of the pod.
            now: time of the scrape, in seconds since 1970.

        Returns:
            whether the document counts against the profile of this window; if not, nothing is added.

        Raises:
            CountsError: the document is invalid.
        """
        if isinstance(document, bytes):
            check_lists(document)
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
        # The clock of a pod may be ahead of ours: nothing was observed after now.
        seen_from = now if increase is None else min(now, max(counts.start, now - self.length))
        self._since = seen_from if self._since is None else min(self._since, seen_from)
        if increase is not None and increase.any():
            slot = int(now // self.step)
            self._sums[slot] = self._sums[slot] + increase if slot in self._sums else increase.copy()
        self._prune(now)
        return True

    def sample(self, now: float) -> Sample:
        """Return the content of the window at `now`, a copy that later scrapes do not change."""
        known, key = self._latest, (self.changes, (now - self.length) // self.step)
        if known is None or known[0] != key:
            known = self._latest = key, self._sub_window_sums.of(self._inside_window(now))
        found = known[1]
        since = now if self._since is None else max(self._since, now - self.length)
        return Sample(self._sub_window_sums.reference, found, since, now, warm=now - since >= self.length / WARM_UP)

    def ignore_earlier(self, *, until: float) -> None:
        """Ignore the counts so far of unknown pods that started before a time; add only what they count later.

        Args:
            until: seconds since 1970.
        """
        self._forgotten = until if self._forgotten is None else max(self._forgotten, until)

    def state(self) -> WindowState:
        """Return the state to store, a copy that later scrapes do not change."""
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
        """Restore a window from `state().to_bytes()`.

        Args:
            content: the bytes; they are not trusted.
            profile: the current profile.
            length: length of the current window in seconds.
            scrape_interval: current seconds between two scrapes.
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
        """The counts since the last scrape; None if that is unknown."""
        if known is None:
            # A pod that started before the state of others was dropped may be one of them, and partly counted.
            known_start = self._forgotten is None or counts.start > self._forgotten
            return counts.cells if known_start and counts.start >= now - self.length else None
        if counts.start != known.start or self._decreased(counts.cells, known.cells):
            return counts.cells
        return counts.cells - known.cells

    def _decreased(self, cells: Ints, before: Ints) -> bool:
        """Whether any counter decreased."""
        return bool(np.any(cells[self.layout.growing] < before[self.layout.growing]))

    def _inside_window(self, now: float) -> dict[int, Ints]:
        """The sub-windows that overlap with the window."""
        start = now - self.length
        if not self._sums or (min(self._sums) + 1) * self.step > start:
            return self._sums
        return {slot: sums for slot, sums in self._sums.items() if (slot + 1) * self.step > start}

    def _prune(self, now: float) -> None:
        """Drop sub-windows before the window, and pods without a scrape in it."""
        self._sums = self._inside_window(now)
        # This runs after every scrape: a loop over all pods each time would take longer than reading the counts.
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
