"""Targets for documents: profiles, counts and window states, as random bytes and as edited valid documents."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from perennate.cli.drift.current.counting import CurrentData
from perennate.cli.drift.documents import add_documents, read_profile
from perennate.drift import (
    CountsError,
    Profile,
    ProfileError,
    Recorder,
    Window,
    WindowError,
    build_profile,
    evaluate_drift,
)
from perennate.tabular.errors import UsageError
from tests.statistics.fuzzing.target import Target, file_of, traced

LENGTH, NOW = 3600.0, 1_767_225_600.0
LARGEST = 2**20
VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 7, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 10**30, 0.5, -0.5, 5e-324, 1e308),
    *("", "score", "numeric", "categorical", "a\x00b", "\ud800", [], [0], [1, 2, 3], {}, {"a": 1}),
)


@cache
def documents() -> tuple[Any, Any, bytes]:
    """A profile, a counts document for it, and the state of a window with these counts."""
    profile, recorder = reference(), Recorder(reference(), model="m", version="sha256:" + "0" * 64, start=NOW)
    recorder.record({"age": np.arange(200.0), "country": np.array(["de", "fr", None, "xx"] * 50, dtype=object)})
    recorder.record_scores(np.linspace(0, 1, 200))
    window = Window(profile, length=LENGTH, scrape_interval=15.0)
    window.add(recorder.document(), pod="a", now=NOW + 300)
    return profile.to_document(), recorder.document(), gzip.decompress(window.state().to_bytes())


@cache
def reference() -> Profile:
    """The profile of a small model."""
    scores = np.linspace(0, 1, 300)
    return build_profile(
        {"age": np.arange(300.0), "country": np.array(["de", "fr", "it"] * 100, dtype=object)},
        task="classification",
        score=scores,
        labels=(np.arange(300) % 3 == 0).astype(int),
        classes=[0, 1],
    )


def edits_of(seed: Callable[[], Any]) -> Callable[[Any], bytes]:
    """A function that turns fuzzer data into an input: random bytes or an edited valid document, sometimes large."""

    def make(source: Any) -> bytes:
        """The input for one run."""
        way = source.ConsumeIntInRange(0, 63)
        content: bytes = source.ConsumeBytes(4096) if way > 47 else edited(seed(), source, large=way == 0)
        return repeated(content, source) if way in {1, 63} else content

    return make


def edited(document: Any, source: Any, *, large: bool = False) -> bytes:
    """A valid document with one to four values replaced, removed or inserted."""
    whole = json.loads(json.dumps(document))
    for _ in range(source.ConsumeIntInRange(1, 4)):
        position = whole
        while isinstance(position, dict | list) and position:
            key = list(position)[source.ConsumeIntInRange(0, len(position) - 1)] if isinstance(position, dict) else None
            at = source.ConsumeIntInRange(0, len(position) - 1) if key is None else key
            if not isinstance(position[at], dict | list) or not position[at] or source.ConsumeIntInRange(0, 3) == 0:
                _edit(position, at, source, large=large)
                break
            position = position[at]
        large = False
    return json.dumps(whole).encode("utf-8", "surrogatepass")[: 2 * LARGEST]


def repeated(content: bytes, source: Any) -> bytes:
    """The bytes with a short piece repeated many times."""
    start = source.ConsumeIntInRange(0, max(len(content) - 1, 0))
    end = start + source.ConsumeIntInRange(1, 40)
    return content[:end] + content[start:end] * _times(content[start:end], source) + content[end:]


def _times(piece: bytes, source: Any) -> int:
    """The number of repetitions of a piece."""
    return int(source.ConsumeIntInRange(2**10, LARGEST) // max(len(piece), 1))


def _edit(position: Any, at: Any, source: Any, *, large: bool) -> None:
    if large:
        own = source.ConsumeBool()
        item = position[at] if own else copy.deepcopy(VALUES[source.ConsumeIntInRange(0, len(VALUES) - 1)])
        many = [item] * _times(json.dumps(item).encode() + b",", source)
        position[at] = many if source.ConsumeIntInRange(0, 3) else {f"{key:x}": value for key, value in enumerate(many)}
        return
    match source.ConsumeIntInRange(0, 4):
        case 0:
            del position[at]
        case 1 if isinstance(position, list):
            position.insert(at, position[at])
        case 2:
            position[at] = source.ConsumeInt(8)
        case 3:
            position[at] = source.ConsumeUnicode(12)
        case _:
            position[at] = copy.deepcopy(VALUES[source.ConsumeIntInRange(0, len(VALUES) - 1)])


def read_bytes(content: bytes) -> Profile | None:
    """Read a profile like pods and the operator."""
    try:
        return Profile.from_bytes(content)
    except ProfileError:
        return None


def read_file(content: bytes) -> Profile | None:
    """Read a profile like the command."""
    try:
        return read_profile(file_of(content, "profile.json"))
    except UsageError as error:
        check_message(error)
        return None


def use_profile(profile: Profile) -> None:
    """Check that the profile can be written, read, counted against and evaluated."""
    assert Profile.from_bytes(profile.to_bytes()).to_document() == profile.to_document()
    recorder = Recorder(profile, model="m", version="sha256:0", start=NOW)
    recorder.record({feature.name: np.array([1.5, "de", None] * 40, dtype=object) for feature in profile.features})
    window = Window(profile, length=LENGTH, scrape_interval=15.0)
    window.add(recorder.document(), pod="a", now=NOW + 300)
    judge(window)


def read_counts(content: bytes) -> Window | None:
    """Read counts like the operator, which adds them to others."""
    window = Window(reference(), length=LENGTH, scrape_interval=15.0)
    window.add(documents()[1], pod="a", now=NOW + 15)
    try:
        window.add(content, pod="a", now=NOW + 300)
        window.add(content, pod="b", now=NOW + 300)
    except CountsError:
        return None
    return window


def read_counts_file(content: bytes) -> CurrentData | None:
    """Read counts like the command."""
    try:
        return add_documents([file_of(content, "counts.json")], reference(), "profile.json")
    except UsageError as error:
        check_message(error)
        return None


def read_state(content: bytes) -> Window | None:
    """Read a window state like the operator; `content` is the decompressed state."""
    packed = gzip.compress(content, 1)
    try:
        return Window.from_bytes(packed, reference(), length=LENGTH, scrape_interval=15.0, now=NOW + 400)
    except WindowError:
        return None


def use_window(window: Window) -> None:
    """Check that a window that was read accepts counts, and can be stored and evaluated."""
    window.add(documents()[1], pod="c", now=NOW + 500)
    window.state().to_bytes()
    judge(window)


def judge(window: Window) -> None:
    """Check that the statistics of any accepted counts are finite."""
    check(evaluate_drift(window.sample(NOW + 600), min_samples=100))


def check(found: Any) -> None:
    """Check that no result is NaN."""
    for item in found.features:
        assert 0 <= item.p <= 1
        assert np.isfinite([item.psi, item.psi_star, item.effect, *item.statistics.values()]).all()


def check_message(error: UsageError) -> None:
    """Check that an error message is one short line."""
    assert len(str(error)) < 2000, f"{len(str(error))} characters"
    assert "\n" not in str(error)


SLACK = 3 * 2**18
UNTYPED = 30
"""The maximum memory per byte of a profile with unknown digest, which is decoded without declared types."""
PROFILE, COUNTS, STATE = (
    edits_of(lambda: documents()[0]),
    edits_of(lambda: documents()[1]),
    edits_of(lambda: json.loads(documents()[2])),
)
TARGETS: Mapping[str, Target] = {
    "profile": Target(PROFILE, read_bytes, use_profile, SLACK, traced, UNTYPED),
    "counts": Target(COUNTS, read_counts, use_window, SLACK, traced),
    "state": Target(STATE, read_state, use_window, SLACK, traced),
    "profile-file": Target(PROFILE, read_file, use_profile, SLACK, traced, UNTYPED),
    "counts-file": Target(
        COUNTS,
        read_counts_file,
        lambda current: check(evaluate_drift(current.sample, min_samples=100)),
        SLACK,
        traced,
    ),
}
