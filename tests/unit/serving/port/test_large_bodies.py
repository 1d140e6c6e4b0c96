"""The bound on the memory that parsing a large body takes."""

from __future__ import annotations

import json
import threading
import tracemalloc
import weakref
from http import HTTPStatus

import orjson
import pytest

from perennate.json_memory import BLOCK_BYTES, parsed_bytes
from perennate.serving.port.large_bodies import (
    INLINE_BYTES,
    MAX_NAMES,
    MAX_PARSED_BYTES,
    LargeBodies,
    check_memory,
)
from perennate.serving.request_error import RequestError, malformed

SIZE = 16 * 1024 * 1024
HOSTILE = {
    "objects in lists in objects": b'{"":[{}]},',
    "objects": b"{},",
    "lists": b"[],",
    "objects with a field": b'{"":0},',
    "objects with two fields": b'{"a":0,"b":null},',
    "digits": b"1,",
    "fractions": b"0.5,",
    "words": b'"ab",',
    "lists of words": b'["ab"],',
    "a quote in a string": b'{"\\"":[{}]},',
    "a backslash at the end of a string": b'{"\\\\":[{}]},',
}


def body_of(unit: bytes, size: int = SIZE) -> bytes:
    """A request with as many units as fit."""
    return b'{"records":[' + unit * (size // len(unit)) + b"0]}"


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_a_body_of_small_values_is_refused(unit: bytes) -> None:
    with pytest.raises(
        RequestError, match=r"would take about \d+ MiB of memory, at most 124 MiB are accepted"
    ) as caught:
        check_memory(body_of(unit))
    assert caught.value.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_the_estimate_bounds_the_memory_of_what_is_accepted(unit: bytes) -> None:
    """The parsed values of a hundredth of the body, without the parser's own working memory."""
    text = body_of(unit, SIZE // 100)
    tracemalloc.start()
    try:
        parsed = orjson.loads(text)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert parsed
    assert taken <= parsed_bytes(text)


def test_the_most_rows_of_a_wide_table_are_accepted() -> None:
    """10,000 records of 100 numbers."""
    record = json.dumps({f"f{index}": 0.5 for index in range(100)}).replace(" ", "")
    text = b'{"records":[' + ",".join([record] * 10_000).encode() + b"]}"
    check_memory(text)
    assert parsed_bytes(text) <= MAX_PARSED_BYTES


def test_characters_inside_of_strings_do_not_count() -> None:
    """Text may contain as many braces, quotes and backslashes as it likes."""
    text = json.dumps({"records": [{"text": '{[,:"\\' * 100 + "\\"}] * 10_000}).encode()
    check_memory(text)
    assert parsed_bytes(text) == parsed_bytes(json.dumps({"records": [{"text": ""}] * 10_000}).encode())


@pytest.mark.parametrize("before", range(BLOCK_BYTES - 3, BLOCK_BYTES + 2))
def test_a_string_may_begin_in_one_block_and_end_in_another(before: int) -> None:
    around = b" " * before
    assert parsed_bytes(around + b'["' + b"[" * 3 * BLOCK_BYTES + b'",1]') == parsed_bytes(b'["",1]')


@pytest.mark.parametrize("fields_of_a_record", [1, 10, MAX_NAMES + 1])
def test_too_many_different_names_are_refused(fields_of_a_record: int) -> None:
    def text_of(names: list[str]) -> bytes:
        records = [
            dict.fromkeys(names[start : start + fields_of_a_record], 0)
            for start in range(0, len(names), fields_of_a_record)
        ]
        return json.dumps({"records": records}).encode()

    names = ["records", *(f'"{index}\\' for index in range(MAX_NAMES))]
    check_memory(text_of(names[:MAX_NAMES]))
    with pytest.raises(RequestError, match="must have at most 100,000 different field names") as caught:
        check_memory(text_of(names))
    assert caught.value.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_values_with_colons_are_no_names() -> None:
    values = [f'{index}":' for index in range(MAX_NAMES + 2)]
    check_memory(json.dumps({"records": [{"text": value} for value in values]}).encode())


def test_text_that_is_not_json_is_left_to_the_parser() -> None:
    for text in (b'"' * 1_000_001, b"\\" * 1_000_001, b"\xff" * 1_000_000, b""):
        check_memory(text)


async def test_a_large_body_is_parsed_in_a_thread_and_a_small_one_at_once() -> None:
    large = LargeBodies()

    def parse(body: bytes) -> tuple[int, bool]:
        """The size, and whether this is the thread of the event loop."""
        return len(body), threading.current_thread() is threading.main_thread()

    assert await large.parse(parse, b"x" * INLINE_BYTES) == (INLINE_BYTES, True)
    assert await large.parse(parse, b"x" * (INLINE_BYTES + 1)) == (INLINE_BYTES + 1, False)


async def test_only_the_json_part_of_a_large_body_is_checked() -> None:
    large = LargeBodies()
    await large.check(b"{}", SIZE)
    await large.check(body_of(b"{},", INLINE_BYTES), INLINE_BYTES)
    with pytest.raises(RequestError):
        await large.check(body_of(b"{},"), SIZE)


async def test_an_error_does_not_keep_the_parsed_body() -> None:
    """Until its response is sent, the next large body may be parsed."""
    parsed: list[weakref.ref[set[int]]] = []

    def refuse(body: bytes) -> None:
        """Parse, then find an error."""
        values = set(body)
        parsed.append(weakref.ref(values))
        raise malformed("no")

    with pytest.raises(RequestError, match="no") as caught:
        await LargeBodies().parse(refuse, b"x" * (INLINE_BYTES + 1))
    assert parsed[0]() is None
    assert caught.value.status == HTTPStatus.BAD_REQUEST
