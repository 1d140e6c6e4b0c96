"""The state of a window as bytes of bounded size, so that a restart of the operator loses no counts.

The stored state is coarser than the window: sums over 1/24 of its length, and the last counts of each pod, from which
the next scrape takes the difference. The bytes do not depend on the order in which pods were scraped.
"""

from __future__ import annotations

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
"""Largest number of sub-windows: five minutes each for a window of a day."""
SIZE_LIMIT: Final = 188 * 1024
"""Size limit of a state in bytes: in base64, with its metadata, an object of less than 256 KiB."""
EXPANDED_LIMIT: Final = 16 * 2**20
"""Size limit of the decompressed state in bytes: a small gzip file can expand to gigabytes."""
PARTS: Final = (24, 12, 6)
"""Numbers of parts of the window for which sums are stored; the first that fits is used."""
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
    """The document of `WindowState.pieces`."""

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
    """The last counts of one pod, from which the next difference is taken.

    Args:
        start: when the pod began to count, in seconds since 1970.
        cells: counts, (cells,).
        seen: time of its last scrape, in seconds since 1970.
    """

    start: float
    cells: Ints
    seen: float


@dataclass(frozen=True, eq=False)
class WindowState:
    """The state of a window at one time.

    Args:
        profile_digest: digest of the profile that is counted against.
        length: length of the window in seconds.
        scrape_interval: seconds between two scrapes.
        since: start of the observed time, in seconds since 1970; None before the first scrape.
        forgotten: latest start of the pods whose counts were dropped for size, in seconds since 1970; None without any.
        sums: counts of each sub-window, (cells,), by slot number.
        pods: last counts by pod UID.
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
        """Length of a sub-window in seconds."""
        return max(self.scrape_interval, self.length / SUB_WINDOWS)

    def to_bytes(self, *, limit: int = SIZE_LIMIT) -> bytes:
        """Encode the state in at most `limit` bytes.

        If it does not fit, this drops, in order: resolution in time, the last counts of the pods with the oldest
        scrapes, and the sums. A pod whose counts were dropped is never counted twice: only later differences are added.
        """
        smaller = self
        for smaller in self._smaller():
            content = _compressed(smaller.pieces(), limit)
            if content is not None:
                return content
        return zlib.compress(b"".join(smaller.pieces()), level=6, wbits=31)

    def pieces(self) -> Iterator[bytes]:
        """The state as JSON, in pieces: as a whole, it can take a hundred times the memory of the counts."""
        head = {
            "schema": SCHEMA,
            "profileDigest": self.profile_digest,
            "length": self.length,
            "scrapeInterval": self.scrape_interval,
            "since": self.since,
            "forgotten": self.forgotten,
        }
        yield _json(head)[:-1] + b',"sums":['
        yield from _items(({"slot": slot}, self.sums[slot]) for slot in sorted(self.sums))
        yield b'],"pods":['
        pods = sorted(self.pods.items())
        yield from _items(({"pod": name, "start": pod.start, "seen": pod.seen}, pod.cells) for name, pod in pods)
        yield b"]}"

    def _smaller(self) -> Iterator[WindowState]:
        """Yield this state and ever smaller ones; the last holds no counts."""
        for parts in PARTS:
            yield replace(self, sums=self._in_parts(parts))
        coarsest, kept = self._in_parts(PARTS[-1]), len(self.pods)
        while kept:
            kept //= 2
            yield self._with_newest(kept, coarsest)
        yield replace(self._with_newest(0, {}), since=None)

    def _in_parts(self, parts: int) -> dict[int, Ints]:
        """Sums over `parts` parts of the window, by the slot number of the last sub-window of each."""
        grain = max(1, round(self.length / parts / self.step))
        coarse: dict[int, tuple[int, Ints]] = {}
        for slot in sorted(self.sums):
            before = coarse.get(slot // grain)
            coarse[slot // grain] = (slot, self.sums[slot] if before is None else before[1] + self.sums[slot])
        return dict(coarse.values())

    def _with_newest(self, number: int, sums: Mapping[int, Ints]) -> WindowState:
        """The state with these sums and the last counts of the `number` pods with the newest scrapes."""
        order = sorted(self.pods, key=lambda name: (-self.pods[name].seen, name))
        dropped = [self.pods[name] for name in order[number:]]
        times = [max(pod.start, pod.seen) for pod in dropped] + ([] if self.forgotten is None else [self.forgotten])
        kept = {name: self.pods[name] for name in order[:number]}
        return replace(self, sums=sums, pods=kept, forgotten=max(times, default=None))


def _compressed(pieces: Iterator[bytes], limit: int) -> bytes | None:
    """The pieces in gzip; None, as soon as that is known, if there are more bytes than allowed."""
    packer, packed, expanded = zlib.compressobj(level=6, wbits=31), bytearray(), 0
    for piece in pieces:
        packed += packer.compress(piece)
        expanded += len(piece)
        if len(packed) > limit or expanded > EXPANDED_LIMIT:
            return None
    packed += packer.flush()
    return bytes(packed) if len(packed) <= limit else None


def _items(items: Iterator[tuple[dict[str, Any], Ints]]) -> Iterator[bytes]:
    """Objects with counts as JSON, separated by commas."""
    for index, (fields, cells) in enumerate(items):
        start = b"," if index else b""
        yield b'%s%s,"cells":%s}' % (start, _json(fields)[:-1], msgspec.json.encode(cells.tolist()))


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def read_state(content: bytes, layout: Layout, *, length: float, scrape_interval: float, now: float) -> WindowState:
    """Read the result of `WindowState.to_bytes`. The content is not trusted: others may edit the DriftWindow.

    Args:
        content: the bytes.
        layout: layout of the current profile.
        length: length of the current window in seconds.
        scrape_interval: current seconds between two scrapes.
        now: current time in seconds since 1970.

    Raises:
        WindowError: the state is invalid, of another profile or window, from the future, or older than the window.
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
            raise WindowError(f"{name}: must be {wanted:g}, the value of the current window, got {value:g}")
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
            raise WindowError(f"sums: must not be after now = {now:.0f}, got slot {slot} of {state.step:g} s each")
    if not any(pod.seen >= now - length for pod in state.pods.values()) and state.forgotten is None:
        raise WindowError(f"pods: none of {len(state.pods)} was scraped in the last {length:g} s")
    return state


def _unpacked(content: bytes) -> bytes:
    """Decompress gzip content of at most EXPANDED_LIMIT bytes."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        document = unpacker.decompress(content, EXPANDED_LIMIT)
    except zlib.error as error:
        raise WindowError(f"the state is not JSON in gzip: {error}") from error
    if not unpacker.eof:
        raise WindowError(f"the state is truncated, or expands to more than {EXPANDED_LIMIT} bytes")
    return document


def _check_time(time: float | None, path: str, now: float) -> None:
    """Raise if a time is after `now`."""
    if time is not None and time > now:
        raise WindowError(f"{path}: must not be after now = {now:.0f}, got {time:.0f}")


def _pod(item: _Pod, layout: Layout, path: str, now: float) -> PodCounts:
    _check_time(item.seen, f"{path}.seen", now)
    return PodCounts(item.start, _cells(item.cells, layout, path), item.seen)


def _cells(values: list[int], layout: Layout, path: str) -> Ints:
    """Validate counts in the order of Layout: every row is in exactly one cell of every feature."""
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
