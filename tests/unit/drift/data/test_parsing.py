"""Decoding documents from untrusted sources: typed, in bounded memory, and a DocumentError for anything invalid."""

from __future__ import annotations

import contextlib
import gc
import gzip
import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennate.drift.data.errors import CountsError, DocumentError, ProfileError, WindowError
from perennate.drift.data.parsing import check_containers, convert, decode, decode_digest
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.layout import Layout
from perennate.drift.profile.profile import Profile
from perennate.drift.recording.counts import counts_document
from perennate.drift.recording.recorder import Recorder
from perennate.drift.recording.validation import CountsDocument, read_counts
from perennate.drift.windows.window import Window
from tests.support.drift.makers import HOUR, START, make_document, make_profile

MIB = 2**20
ANSWER = 4 * MIB
"""The maximum size of a pod's response that the operator reads, in bytes."""


class Numbers(msgspec.Struct, forbid_unknown_fields=True):
    """A small type."""

    value: int
    values: list[float] = []


PROFILE = make_profile(rows=500, holdout=300, features=30)
GOOD = make_document(PROFILE)


def repeat(item: str, size: int) -> str:
    """A JSON list of a repeated item, of about `size` bytes."""
    return f"[{','.join([item] * (size // (len(item) + 1)))}]"


def replaced(field: str, text: str) -> bytes:
    """A counts document with `text` instead of the value of a field."""
    return json.dumps({**GOOD, field: "@"}).replace('"@"', text).encode()


def peak_memory(work: Callable[[], object]) -> int:
    """The most memory that a call allocates, in bytes."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        del kept


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "a million empty lists": lambda size: replaced("counts", repeat("[]", size)),
    "lists of one": lambda size: replaced("counts", repeat("[0]", size)),
    "larger numbers": lambda size: replaced("counts", f"[{repeat('257', size)}]"),
    "floats": lambda size: replaced("sum", repeat("0.1", size)),
    "names": lambda size: replaced("features", repeat('"ab"', size)),
    "wide names": lambda size: replaced("features", repeat('"\N{HOT BEVERAGE}\N{GRINNING FACE}"', size)),
    "an unknown field of objects": lambda size: replaced("more", repeat('{"a":1}', size)),
    "different keys": lambda size: replaced(
        "labels", "{" + ",".join(f'"{key:x}":[]' for key in range(size // 10)) + "}"
    ),
    "deep nesting": lambda size: replaced("counts", "[" * size),
    "deep nesting of an unknown field": lambda size: replaced("more", "[" * size),
    "a number without end": lambda size: replaced("rows", "9" * size),
    "an exponent without end": lambda size: replaced("start", "1e" + "9" * size),
    "a fraction without end": lambda size: replaced("start", "0." + "1" * size),
    "spaces": lambda size: replaced("rows", " " * size + "0"),
    "one long text": lambda size: replaced("model", '"' + "a" * size + '"'),
}


@pytest.mark.parametrize("size", [ANSWER, 40_000], ids=["4 MiB", "within the limit"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_takes_little_memory_and_time(name: str, size: int) -> None:
    """Larger documents are refused before decoding; within the profile's limit, decoding takes at most 1.5 MiB."""
    content = HOSTILE[name](size)
    window = Window(PROFILE, length=HOUR, scrape_interval=15.0)
    assert window.layout.document_limit < ANSWER / 4

    def add() -> None:
        """Add the document as a scrape does."""
        with contextlib.suppress(CountsError):
            window.add(content, pod="a", now=START + 60)

    begin = time.process_time()
    add()
    assert time.process_time() - begin < 1
    assert peak_memory(add) <= 1.5 * MIB


def state(**fields: str) -> bytes:
    """The state of a window with the values of some fields replaced by texts."""
    window = Window(PROFILE, length=HOUR, scrape_interval=15.0)
    window.add(GOOD, pod="a", now=START + 60)
    document = json.loads(gzip.decompress(window.state().to_bytes()))
    text = json.dumps({**document, **{name: f"@{name}" for name in fields}})
    for name, value in fields.items():
        text = text.replace(f'"@{name}"', value)
    return gzip.compress(text.encode(), 1)


STATES = {
    "empty lists": state(sums=repeat("[]", ANSWER)),
    "empty sums": state(sums=repeat('{"slot":0,"cells":[]}', ANSWER)),
    "larger numbers": state(sums=f'[{{"slot":0,"cells":{repeat("257", ANSWER)}}}]'),
    "unknown objects": state(more=repeat("{}", ANSWER)),
    "pods": state(pods=repeat('{"pod":"abcd","start":1.5,"seen":2.5,"cells":[]}', ANSWER)),
    "another profile": state(profileDigest='"sha256:0"', sums=f'[{{"slot":0,"cells":{repeat("257", ANSWER)}}}]'),
}


@pytest.mark.parametrize("name", STATES)
def test_a_hostile_state_takes_at_most_twelve_times_its_bytes(name: str) -> None:
    """Most of the memory is for integers above 256, each of which is an object."""

    def read() -> None:
        """Read the state."""
        with pytest.raises(WindowError):
            Window.from_bytes(STATES[name], PROFILE, length=HOUR, scrape_interval=15.0, now=START + 100)

    assert peak_memory(read) <= (4 if name == "another profile" else 12) * ANSWER


def test_a_profile_of_another_digest_is_not_decoded() -> None:
    """Content with an unexpected digest takes no memory, whatever a pod returns."""
    content = repeat("[]", ANSWER - 100).encode()

    def read() -> None:
        """Read the profile."""
        with pytest.raises(DocumentError, match="must have the digest"):
            Profile.from_bytes(content, digest="sha256:0")

    assert peak_memory(read) <= MIB / 4


MALFORMED = {
    "empty": (b"", "document: must be JSON: Input data was truncated"),
    "truncated": (b'{"value": 1', "document: must be JSON: Input data was truncated"),
    "two documents": (b'{"value": 1} {}', "document: must be JSON: JSON is malformed: trailing characters"),
    "NaN": (b'{"value": NaN}', "document: must be JSON: JSON is malformed: invalid character"),
    "infinity": (b'{"value": 1, "values": [-Infinity]}', "document: must be JSON: JSON is malformed"),
    "invalid UTF-8 in a name": (b'{"value": 1, "\xff": 2}', "document: must be JSON: Invalid UTF-8"),
    "UTF-16": ('{"value": 1}'.encode("utf-16"), "document: must be JSON: JSON is malformed"),
    "deep nesting": (b'{"more":' + b"[" * 100_000, r"document: (must be JSON: maximum|object contains unknown)"),
    "a huge exponent": (b'{"value": 1, "values": [1e999]}', r"values\[0\]: number out of range"),
    "a huge whole number": (b'{"value": %s}' % (b"9" * 5000), "value: integer value out of range"),
    "a fraction": (b'{"value": 1.5}', "value: expected int, got float"),
    "a whole float": (b'{"value": 1.0}', "value: expected int, got float"),
    "a boolean": (b'{"value": true}', "value: expected int, got bool"),
    "a list": (b"[]", "document: expected object, got array"),
    "an unknown field": (b'{"value": 1, "a\\nb": 2}', r"document: object contains unknown field a\\nb$"),
    "a missing field": (b"{}", "document: object missing required field value"),
    "a long name": (
        b'{"value": 1, "%s": 2}' % (b"a" * 10_000),
        r"document: object contains unknown field a+\.\.\.$",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_bytes_are_a_document_error(name: str) -> None:
    """The message is one short line with the field, the expected and the found type."""
    content, message = MALFORMED[name]
    with pytest.raises(DocumentError, match=f"^{message}") as found:
        decode(content, Numbers, DocumentError)
    assert len(str(found.value)) < 200
    assert str(found.value).isprintable()


def test_a_byte_order_mark_and_a_duplicate_key_are_accepted() -> None:
    """The last of equal keys counts, for the digest as for the document."""
    content = b'\xef\xbb\xbf{"value": 1, "value": 2}'
    assert decode(content, Numbers, DocumentError).value == 2
    assert decode_digest(b'{"profileDigest": "a", "profileDigest": "b"}', DocumentError) == "b"


def test_only_the_digest_is_decoded() -> None:
    """Other fields are skipped, whatever their values."""
    content = b'{"more": ' + repeat("[]", ANSWER).encode() + b', "profileDigest": "sha256:1"}'
    assert peak_memory(lambda: decode_digest(content, DocumentError)) < MIB / 4
    assert decode_digest(content, DocumentError) == "sha256:1"
    assert decode_digest(b"{}", DocumentError) is None
    with pytest.raises(DocumentError, match=r"profileDigest: expected str \| null, got array"):
        decode_digest(b'{"profileDigest": [[]]}', DocumentError)


LONGEST = -sys.float_info.max


def largest_document(profile: Profile) -> dict[str, Any]:
    """A counts document of a profile with every number at its maximum length, valid or not."""
    layout = Layout(profile)
    cells = np.full(layout.size, 2**53)
    moments = np.full((2, layout.numeric.size), LONGEST)
    document = counts_document(layout, cells, moments, model="m" * 253, version="sha256:" + "0" * 64, start=2.0**53)
    return {**document, "start": 2.0**53 - 1, "offsets": [-(2**63) + 1] * len(layout.features)}


NAMES = st.lists(st.text(max_size=40), min_size=1, max_size=5, unique=True)


@given(names=NAMES, task=st.sampled_from(["regression", "binary", "many"]), indent=st.sampled_from([None, 2, 4]))
@settings(max_examples=60, deadline=None)
def test_the_largest_document_of_a_profile_is_within_its_limit(names: list[str], task: str, indent: int | None) -> None:
    """This holds for any profile, with and without indentation, and with and without escaped names."""
    rows = np.arange(120)
    columns = {
        name: rows / 7 if index % 2 else np.array([f"c{row % 60}" for row in rows], dtype=object)
        for index, name in enumerate(names)
    }
    classes = {"regression": [], "binary": [0, 1], "many": list(range(30))}[task]
    labels = rows / 3 if task == "regression" else rows % len(classes)
    try:
        profile = build_profile(
            columns,
            task="regression" if task == "regression" else "classification",
            score=rows / 120,
            labels=labels,
            classes=classes,
            predictions=rows % 30 if task == "many" else None,
        )
    except DocumentError:
        return
    for ascii_only in (True, False):
        text = json.dumps(largest_document(profile), ensure_ascii=ascii_only, indent=indent)
        assert len(text.encode("utf-8", "surrogatepass")) <= Layout(profile).document_limit


@pytest.mark.parametrize("columns", [1, 300, 3000])
def test_document_limit_is_at_most_three_times_the_largest_document(columns: int) -> None:
    profile = build_profile({f"feature_{index}": np.arange(100.0) for index in range(columns)}, task="regression")
    needed = len(json.dumps(largest_document(profile)))
    assert needed <= Layout(profile).document_limit <= 3 * needed + 4096


def test_counts_are_read_from_bytes() -> None:
    """Bytes give the same counts as the parsed document."""
    layout = Layout(PROFILE)
    found = read_counts(json.dumps(GOOD).encode(), layout)
    assert found.rows == GOOD["rows"]
    window = Window(PROFILE, length=HOUR, scrape_interval=15.0)
    assert window.add(json.dumps(GOOD).encode(), pod="a", now=START + 60)
    assert not window.add(json.dumps({**GOOD, "profileDigest": "sha256:0"}).encode(), pod="b", now=START + 60)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(document=JSON, ascii_only=st.booleans())
@settings(max_examples=50, deadline=None)
def test_any_json_is_decoded_without_a_type(document: object, ascii_only: bool) -> None:
    """Without a type, every JSON value is decoded; with the type of a counts document, it is refused."""
    content = json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    with contextlib.suppress(DocumentError):
        assert decode(content, object, DocumentError) == json.loads(content)
    with pytest.raises(CountsError):
        decode(content, CountsDocument, CountsError)
    with pytest.raises(CountsError):
        convert(document, CountsDocument, CountsError)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", 0),
        (b"[]", 1),
        (b'{"a": [{}, "[[[", 1]}', 3),
        (rb'["\"[[", [], "\\", {}]', 3),
        (rb'["\\\"[", []]', 2),
        (b'["' + b"[" * 300_000 + b'", [' + b"0," * 200_000 + b'0], "{"]', 2),
        (b"[" * 300_000, 300_000),
        (b'"' * 300_001 + b"[", 0),
        (b'"' * 300_000 + b"[", 1),
    ],
    ids=["empty", "a list", "in a string", "escapes", "escaped escapes", "blocks", "deep", "open string", "strings"],
)
def test_objects_and_lists_are_counted_outside_of_strings(content: bytes, found: int) -> None:
    """Before anything is decoded, so that a bomb costs no more than reading its bytes."""
    check_containers(content, found, ProfileError)
    if found:
        with pytest.raises(ProfileError, match=f"must have at most {found - 1} objects and lists, got {found}"):
            check_containers(content, found - 1, ProfileError)


def test_lists_are_counted_before_the_digest_is_read() -> None:
    """To skip a million lists takes 70 ms, whichever profile the document counts against."""
    profile = build_profile({"x": np.arange(100.0)}, task="classification", classes=("no", "yes"))
    window = Window(profile, length=3600.0, scrape_interval=15.0)
    bomb = b'{"counts":[' + b"[]," * 20_000 + b'[]],"profileDigest":"sha256:other"}'
    with pytest.raises(CountsError, match="must have at most 16384 lists, got 20002"):
        window.add(bomb, pod="a", now=1_000.0)


def test_brackets_in_names_are_no_lists() -> None:
    """Columns may be named after intervals."""
    names = [f"[[[[[{number}" for number in range(100)]
    columns = {name: np.arange(100.0) for name in names}
    profile = build_profile(columns, task="classification", classes=("no", "yes"))
    recorder = Recorder(profile, model="m[0]", version="sha256:" + "a" * 64, start=1_000.0)
    recorder.record({name: np.zeros(3) for name in names})
    window = Window(profile, length=3600.0, scrape_interval=15.0)
    assert window.add(json.dumps(recorder.document()).encode(), pod="a", now=1_001.0)
    assert window.sample(1_002.0).rows == 3
