"""Parsing what others wrote: in memory that the size of it bounds, and never in the way of what we write ourselves."""

from __future__ import annotations

import contextlib
import gc
import json
import string
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.data.errors import CountsError, DocumentError
from perennate.drift.data.parsing import FREE, MEMORY, most_memory, parse
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.features import FIELDS
from perennate.drift.profile.layout import Layout
from perennate.drift.profile.profile import Profile
from perennate.drift.recording.counts import validate_counts
from perennate.drift.recording.recorder import Recorder
from tests.support.drift.makers import START, generator

ROWS = 2000
PAIRS = [first + second for first in string.ascii_letters for second in string.ascii_letters]


def listed(item: str, times: int = 50_000) -> bytes:
    """A list of one item many times."""
    return f"[{','.join([item] * times)}]".encode()


DENSE = {
    "empty lists": listed("[]"),
    "lists of one": listed("[0]"),
    "lists of five": listed("[0,0,0,0,0]"),
    "empty objects": listed("{}"),
    "small objects": listed('{"a":1}'),
    "different keys": ("{" + ",".join(f'"{key:x}":0' for key in range(60_000)) + "}").encode(),
    "short texts": listed('"ab"'),
    "wide texts": listed('"āā"'),
    "wider texts": listed('"\N{HOT BEVERAGE}\N{GRINNING FACE}"'),
    "texts that hold what ends lists and objects": listed('"]}"'),
}
"""What takes far more memory than its bytes, each a hundred kilobytes or more."""
PLAIN = {
    "zeros": listed("0"),
    "whole numbers": listed("257"),
    "larger whole numbers": listed("1000"),
    "negative numbers": listed("-6"),
    "numbers": listed("1e1"),
    "texts with escapes": listed(r'"\"\\"'),
    "one long text": b'["' + b"a" * 200_000 + b'"]',
    "one long wide text": '["\N{GRINNING FACE}{}"]'.replace("{}", "a" * 200_000).encode(),
    "spaces": b" " * 200_000 + b"0",
}
"""What takes no more than ten times its bytes."""


def peak(work: Callable[[], object]) -> int:
    """The most memory that something took at any moment, in bytes."""
    parse(b"-1", DocumentError)  # What is made once is no memory of this document.
    gc.collect()
    tracemalloc.start()
    try:
        kept = work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        del kept


@pytest.mark.parametrize("name", DENSE)
def test_what_takes_far_more_than_its_bytes_is_refused_unparsed(name: str) -> None:
    """With what it would take and what it may; finding that out takes no memory to speak of."""
    content = DENSE[name]

    def refused() -> None:
        """The refusal."""
        with pytest.raises(CountsError, match=r"document: must take at most \d+ bytes of memory .*, got up to \d+"):
            parse(content, CountsError)

    assert peak(refused) <= MEMORY * len(content) + FREE / 2


@pytest.mark.parametrize("name", PLAIN)
def test_what_is_no_denser_than_text_is_read(name: str) -> None:
    """In as much memory as is allowed."""
    content = PLAIN[name]

    assert peak(lambda: parse(content, DocumentError)) <= MEMORY * len(content) + FREE


@pytest.mark.parametrize("name", DENSE)
def test_the_bound_holds(name: str) -> None:
    """Python's own parser takes no more than was foreseen, the copy of what it reads included."""
    content = DENSE[name]

    assert peak(lambda: json.loads(content.decode())) <= most_memory(content)


def test_a_text_cannot_pass_for_structure() -> None:
    """Known names, quotes and braces inside of texts change nothing of what is foreseen of the rest."""
    keys = ("{" + ",".join(f'"{key:x}":0' for key in range(60_000)) + "}").encode()
    for text in (rb'"\"name\":\"name\":"', rb'"\\\\\"{{{"', b'"name"'):
        content = b"[" + keys + (b"," + text) * 1000 + b"]"
        assert most_memory(content, ["name"]) >= most_memory(keys)


def two_letters(index: int) -> np.ndarray:
    """Sixty categories of two letters."""
    draw = generator(index)
    return np.array(draw.permutation(PAIRS)[:60], dtype=object)[draw.integers(0, 60, ROWS)]


WIDE: dict[str, tuple[int, Callable[[int], np.ndarray]]] = {
    "200 columns of 50 short categories": (200, two_letters),
    "1000 columns of yes or no": (1000, lambda index: np.array(["no", "yes"], dtype=object)[np.arange(ROWS) % 2]),
    "300 columns of short numbers": (300, lambda index: np.arange(ROWS) / 2),
    "300 columns of long numbers": (300, lambda index: generator(index).lognormal(0, 2, ROWS)),
}


@pytest.mark.parametrize("name", WIDE)
def test_the_widest_of_ours_is_far_from_refusal(name: str) -> None:
    """A profile and the counts against it, both of a model with many columns, need at most 0.9 of what they may."""
    columns, make = WIDE[name]
    profile = build_profile({f"f{index}": make(index) for index in range(columns)}, task="regression")
    recorder = Recorder(profile, model="m", version="v", start=START)
    recorder.record({f"f{index}": make(index) for index in range(columns)})
    content, counts = profile.to_bytes(), json.dumps(recorder.document(), separators=(",", ":")).encode()
    layout = Layout(profile)
    works: list[tuple[bytes, tuple[str, ...], Callable[[], object]]] = [
        (content, FIELDS, lambda: Profile.from_bytes(content)),
        (counts, (), lambda: validate_counts(parse(counts, CountsError), profile, layout=layout)),
    ]
    for document, names, read in works:
        read()
        allowed = MEMORY * len(document) + FREE
        assert most_memory(document, names) <= 0.9 * allowed
        assert peak(read) <= 0.9 * allowed


NUMBERS = st.integers(-5, 256) | st.integers(min_value=1000) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(document=JSON, ascii_only=st.booleans())
@settings(max_examples=50, deadline=None)
def test_the_bound_holds_for_any_json(document: object, ascii_only: bool) -> None:
    """Whatever it is that comes many times; and what is read is what was written."""
    one = json.dumps(document, ensure_ascii=ascii_only)
    content = f"[{','.join([one] * 200)}]".encode("utf-8", "surrogatepass")

    assert peak(lambda: json.loads(content)) <= most_memory(content) + 2000
    with contextlib.suppress(DocumentError):
        assert parse(one.encode("utf-8", "surrogatepass"), DocumentError) == document
