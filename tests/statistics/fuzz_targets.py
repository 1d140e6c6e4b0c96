"""What is fuzzed: everything that reads what others wrote. `python -m tests.statistics.fuzz_targets TARGET -runs=...`.

A target gets bytes, as they are or as edits of a valid document, and must accept them or refuse them by the error that
it documents, in at most a second and in a few times their memory.
"""

from __future__ import annotations

import contextlib
import copy
import gzip
import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(sys.prefix) / "fuzz"
"""Where `make install` puts atheris: beside the environment, off its path."""
sys.path.append(str(FOLDER))
import atheris  # noqa: E402

with atheris.instrument_imports(include=["perennate.drift"]):
    from perennate.drift import (
        CountsError,
        Profile,
        ProfileError,
        Recorder,
        Window,
        WindowError,
        build_profile,
        evaluate,
    )

SECONDS = 1.0
MEMORY = 10
"""Most bytes of memory for each byte of input, beyond what a small input takes anyway."""
SMALL = 2**20
TRACED = 20
"""The memory of one input in so many is traced."""
LENGTH, NOW = 3600.0, 1_767_225_600.0
VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 7, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 10**30, 0.5, -0.5, 5e-324, 1e308),
    *("", "score", "numeric", "categorical", "a\x00b", "\ud800", [], [0], [1, 2, 3], {}, {"a": 1}),
)


@cache
def documents() -> tuple[Any, Any, bytes]:
    """A profile, a counts document against it, and the state of a window that holds it."""
    profile, recorder = reference(), Recorder(reference(), model="m", version="sha256:" + "0" * 64, start=NOW)
    recorder.record({"age": np.arange(200.0), "country": np.array(["de", "fr", None, "xx"] * 50, dtype=object)})
    recorder.record_scores(np.linspace(0, 1, 200))
    window = Window(profile, length=LENGTH, scrape_interval=15.0)
    window.add(recorder.document(), pod="a", now=NOW + 300)
    return profile.to_document(), recorder.document(), gzip.decompress(window.state().to_bytes())


@cache
def reference() -> Profile:
    """A small model's profile."""
    scores = np.linspace(0, 1, 300)
    return build_profile(
        {"age": np.arange(300.0), "country": np.array(["de", "fr", "it"] * 100, dtype=object)},
        task="classification",
        score=scores,
        labels=(np.arange(300) % 3 == 0).astype(int),
        classes=[0, 1],
    )


def edited(document: Any, source: Any) -> bytes:
    """A valid document after some edits: values replaced, removed, or put where another one was."""
    whole = json.loads(json.dumps(document))
    for _ in range(source.ConsumeIntInRange(1, 4)):
        place = whole
        while isinstance(place, dict | list) and place:
            key = list(place)[source.ConsumeIntInRange(0, len(place) - 1)] if isinstance(place, dict) else None
            at = source.ConsumeIntInRange(0, len(place) - 1) if key is None else key
            if not isinstance(place[at], dict | list) or not place[at] or source.ConsumeIntInRange(0, 3) == 0:
                _edit(place, at, source)
                break
            place = place[at]
    return json.dumps(whole).encode("utf-8", "surrogatepass")


def _edit(place: Any, at: Any, source: Any) -> None:
    match source.ConsumeIntInRange(0, 4):
        case 0:
            del place[at]
        case 1 if isinstance(place, list):
            place.insert(at, place[at])
        case 2:
            place[at] = source.ConsumeInt(8)
        case 3:
            place[at] = source.ConsumeUnicode(12)
        case _:
            place[at] = copy.deepcopy(VALUES[source.ConsumeIntInRange(0, len(VALUES) - 1)])


def read_profile(content: bytes) -> None:
    """A profile that is read can be written and read again, counted against, and compared with."""
    try:
        profile = Profile.from_bytes(content)
    except ProfileError:
        return
    assert Profile.from_bytes(profile.to_bytes()).to_document() == profile.to_document()
    recorder = Recorder(profile, model="m", version="sha256:0", start=NOW)
    recorder.record({feature.name: np.array([1.5, "de", None] * 40, dtype=object) for feature in profile.features})
    window = Window(profile, length=LENGTH, scrape_interval=15.0)
    window.add(recorder.document(), pod="a", now=NOW + 300)
    judge(window)


def read_counts(content: bytes) -> None:
    """Counts that are read can be added to others, kept, and judged."""
    window = Window(reference(), length=LENGTH, scrape_interval=15.0)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return
    window.add(documents()[1], pod="a", now=NOW + 15)
    with contextlib.suppress(CountsError):
        window.add(document, pod="a", now=NOW + 300)
        window.add(document, pod="b", now=NOW + 300)
    window.state().to_bytes()
    judge(window)


def read_state(content: bytes) -> None:
    """A state that is read is a window that goes on."""
    try:
        window = Window.from_bytes(
            gzip.compress(content, 1), reference(), length=LENGTH, scrape_interval=15.0, now=NOW + 400
        )
    except WindowError:
        return
    window.add(documents()[1], pod="a", now=NOW + 500)
    window.state().to_bytes()
    judge(window)


def judge(window: Window) -> None:
    """No count, however strange, makes the statistics fail or give NaN."""
    for item in evaluate(window.sample(NOW + 600), min_samples=100).features:
        assert 0 <= item.p <= 1
        assert np.isfinite([item.psi, item.psi_star, item.effect, *item.statistics.values()]).all()


def traced(target: Callable[[bytes], None], content: bytes) -> int:
    """The most memory that a target took at any moment, in bytes."""
    tracemalloc.start()
    try:
        target(content)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def main(arguments: list[str]) -> None:
    """Fuzz one target with the options of libFuzzer."""
    name = arguments.pop(1)
    target, seed = TARGETS[name]

    runs = count()

    def once(data: bytes) -> None:
        source = atheris.FuzzedDataProvider(data)
        whole = source.ConsumeIntInRange(0, 3) == 0
        content = source.ConsumeBytes(len(data)) if whole else edited(seed(), source)
        # Tracing memory takes four times as long as what is traced.
        memory = traced(target, content) if next(runs) % TRACED == 0 else 0
        begin = time.process_time()
        target(content)
        spent = time.process_time() - begin
        assert spent <= SECONDS, f"{spent:.1f} s for {len(content)} bytes"
        assert memory <= MEMORY * len(content) + SMALL, f"{memory} bytes of memory for {len(content)}"

    documents()
    atheris.Setup(arguments, once)
    atheris.Fuzz()


TARGETS: Mapping[str, tuple[Callable[[bytes], None], Callable[[], Any]]] = {
    "profile": (read_profile, lambda: documents()[0]),
    "counts": (read_counts, lambda: documents()[1]),
    "state": (read_state, lambda: json.loads(documents()[2])),
}


if __name__ == "__main__":
    main(sys.argv)
