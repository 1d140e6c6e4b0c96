"""The state of a window as bytes of bounded size, so that a restart of the operator loses nothing that pods still know.

What is kept is coarser than the window: sums over a 24th of its length, and each pod's last counts, from which the next
scrape takes its difference. The bytes follow from what was counted, not from the order in which pods were asked.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, TypeAlias

import msgspec
import numpy as np
from msgspec import Meta

from perennate.drift.data.arrays import Ints
from perennate.drift.data.documents import MAX_COUNT, abbreviated
from perennate.drift.data.errors import WindowError
from perennate.drift.data.parsing import check_schema, decode, decode_digest
from perennate.drift.profile.layout import ROWS, Layout

SCHEMA: Final = "perennate.dev/window/v1"
SUB_WINDOWS: Final = 288
"""A window has at most so many sub-windows: five minutes each for a day."""
SIZE_LIMIT: Final = 188 * 1024
"""Most bytes of a state: in base64, with its metadata, an object of less than 256 KiB."""
EXPANDED_LIMIT: Final = 16 * 2**20
"""Most bytes that are unpacked: a few bytes can unpack to gigabytes."""
PARTS: Final = (24, 12, 6)
"""In how many parts of the window the sums are kept; the first that fits is taken."""
_LARGEST: Final = 2**63 - 1
_Total: TypeAlias = Annotated[int, Meta(ge=-_LARGEST, le=_LARGEST)]


class _Sums(msgspec.Struct, forbid_unknown_fields=True):
    """Counts of one sub-window."""

    slot: Annotated[int, Meta(ge=0, le=MAX_COUNT)]
    cells: list[_Total]


class _Pod(msgspec.Struct, forbid_unknown_fields=True):
    """Last counts of one pod."""

    pod: str
    start: float
    seen: float
    cells: list[_Total]


class _State(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The document of `WindowState.to_document`."""

    schema: str
    profile_digest: str
    length: float
    scrape_interval: float
    since: float | None
    forgotten: float | None
    sums: list[_Sums]
    pods: list[_Pod]


@dataclass(frozen=True, eq=False)
class PodCounts:
    """The last counts of one pod, which the next are compared with.

    Args:
        start: when the pod began to count, in seconds since 1970.
        cells: its counts, (cells,).
        seen: when it was scraped, in seconds since 1970.
    """

    start: float
    cells: Ints
    seen: float


@dataclass(frozen=True, eq=False)
class WindowState:
    """What a window knows at one moment.

    Args:
        profile_digest: key of the profile that is counted against.
        length: of the window, in seconds.
        scrape_interval: seconds between two scrapes.
        since: when the window began to see, in seconds since 1970; None if it has seen nothing.
        forgotten: no pod whose counts were given up for size began to count after this time; None if none was.
        sums: counts of each sub-window, (cells,), by its number.
        pods: last counts by uid of the pod.
    """

    profile_digest: str
    length: float
    scrape_interval: float
    since: float | None
    forgotten: float | None
    sums: Mapping[int, Ints]
    pods: Mapping[str, PodCounts]

    @property
    def step(self) -> float:
        """Length of a sub-window, in seconds."""
        return max(self.scrape_interval, self.length / SUB_WINDOWS)

    def to_bytes(self, *, limit: int = SIZE_LIMIT) -> bytes:
        """The state, packed into at most `limit` bytes.

        What does not fit is given up in this order: resolution in time, last counts of the pods that were seen longest
        ago, sums. A pod whose counts were given up is never counted twice: only what it gains later is.
        """
        content = b""
        for smaller in self._smaller():
            document = json.dumps(smaller.to_document(), separators=(",", ":"), allow_nan=False).encode()
            content = gzip.compress(document, compresslevel=6, mtime=0)
            if len(content) <= limit and len(document) <= EXPANDED_LIMIT:
                break
        return content

    def to_document(self) -> dict[str, Any]:
        """The state as JSON."""
        return {
            "schema": SCHEMA,
            "profileDigest": self.profile_digest,
            "length": self.length,
            "scrapeInterval": self.scrape_interval,
            "since": self.since,
            "forgotten": self.forgotten,
            "sums": [{"slot": slot, "cells": self.sums[slot].tolist()} for slot in sorted(self.sums)],
            "pods": [
                {"pod": name, "start": pod.start, "seen": pod.seen, "cells": pod.cells.tolist()}
                for name, pod in sorted(self.pods.items())
            ],
        }

    def _smaller(self) -> Iterator[WindowState]:
        """This state and smaller ones, each smaller than the one before; the last holds no counts at all."""
        for parts in PARTS:
            yield replace(self, sums=self._in_parts(parts))
        coarsest, kept = self._in_parts(PARTS[-1]), len(self.pods)
        while kept:
            kept //= 2
            yield self._with_newest(kept, coarsest)
        yield replace(self._with_newest(0, {}), since=None)

    def _in_parts(self, parts: int) -> dict[int, Ints]:
        """The sums of so many parts of the window, each under the number of its last sub-window."""
        grain = max(1, round(self.length / parts / self.step))
        coarse: dict[int, tuple[int, Ints]] = {}
        for slot in sorted(self.sums):
            before = coarse.get(slot // grain)
            coarse[slot // grain] = (slot, self.sums[slot] if before is None else before[1] + self.sums[slot])
        return dict(coarse.values())

    def _with_newest(self, number: int, sums: Mapping[int, Ints]) -> WindowState:
        """These sums, and the last counts of so many pods that were seen last."""
        order = sorted(self.pods, key=lambda name: (-self.pods[name].seen, name))
        dropped = [self.pods[name] for name in order[number:]]
        times = [max(pod.start, pod.seen) for pod in dropped] + ([] if self.forgotten is None else [self.forgotten])
        kept = {name: self.pods[name] for name in order[:number]}
        return replace(self, sums=sums, pods=kept, forgotten=max(times, default=None))


def read_state(content: bytes, layout: Layout, *, length: float, scrape_interval: float, now: float) -> WindowState:
    """Read what `WindowState.to_bytes` wrote. Nothing is trusted: whoever may edit the place where it lies wrote it.

    Args:
        content: the bytes.
        layout: of the profile that is counted against now.
        length: of the window that is wanted now, in seconds.
        scrape_interval: seconds between two scrapes of it.
        now: seconds since 1970.

    Raises:
        WindowError: it is malformed, of another profile or another window, from the future, or too old to say anything.
    """
    unpacked, digest = _unpacked(content), layout.profile.digest
    check_schema(unpacked, SCHEMA, WindowError)
    if (found := decode_digest(unpacked, WindowError)) != digest:
        raise WindowError(f"profileDigest: must be {digest}, got {abbreviated(found)}")
    document = decode(unpacked, _State, WindowError)
    for name, value, wanted in (
        ("length", document.length, length),
        ("scrapeInterval", document.scrape_interval, scrape_interval),
    ):
        if value != wanted:
            raise WindowError(f"{name}: must be {wanted:g}, as the window that is wanted, got {value:g}")
    _check_time(document.since, "since", now)
    state = WindowState(
        profile_digest=digest,
        length=length,
        scrape_interval=scrape_interval,
        since=document.since,
        forgotten=document.forgotten,
        sums={item.slot: _cells(item.cells, layout, f"sums[{index}]") for index, item in enumerate(document.sums)},
        pods={item.pod: _pod(item, layout, f"pods[{index}]", now) for index, item in enumerate(document.pods)},
    )
    for slot in state.sums:
        if slot * state.step > now:
            raise WindowError(f"sums: must not lie after now, {now:.0f}; got slot {slot} of {state.step:g} s each")
    if not any(pod.seen >= now - length for pod in state.pods.values()) and state.forgotten is None:
        raise WindowError(f"pods: none of {len(state.pods)} was seen in the last {length:g} s")
    return state


def _unpacked(content: bytes) -> bytes:
    """What is in a gzip member, no more than EXPANDED_LIMIT bytes of it."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        document = unpacker.decompress(content, EXPANDED_LIMIT)
    except zlib.error as error:
        raise WindowError(f"the state is no JSON in gzip: {error}") from error
    if not unpacker.eof:
        raise WindowError(f"the state is cut short, or unpacks to more than {EXPANDED_LIMIT} bytes")
    return document


def _check_time(time: float | None, path: str, now: float) -> None:
    """Raise if a time is after `now`."""
    if time is not None and time > now:
        raise WindowError(f"{path}: must be a time that is not after now, {now:.0f}, got {time:.0f}")


def _pod(item: _Pod, layout: Layout, path: str, now: float) -> PodCounts:
    _check_time(item.seen, f"{path}.seen", now)
    return PodCounts(item.start, _cells(item.cells, layout, path), item.seen)


def _cells(values: list[int], layout: Layout, path: str) -> Ints:
    """Counts in the order of Layout; every row is in exactly one cell of every feature, as in a counts document."""
    if len(values) != layout.size:
        raise WindowError(f"{path}.cells: must have {layout.size} items, got {len(values)}")
    cells = np.array(values, dtype=np.int64)
    if (cells[layout.growing] < 0).any():
        raise WindowError(f"{path}.cells: must be 0 or more, except the offsets")
    totals = np.add.reduceat(cells[: layout.score_start], layout.starts[:-1])
    if np.any(totals != cells[ROWS]):
        index = int(np.argmax(totals != cells[ROWS]))
        raise WindowError(
            f"{path}.cells: cells of {layout.features[index].name!r} must add up to rows = {cells[ROWS]}, "
            f"got {totals[index]}"
        )
    return cells
