"""Hostile responses of pods, over real sockets, to the scraper of the operator: each must end in one short error."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from perennate.kube.monitoring.response import HEAD_BYTES, MIN_PIECE
from perennate.kube.monitoring.scrape import HttpMetricsSource, ScrapeFailure
from tests.support.pods.hostile_pods import (
    CHUNKED,
    JSON,
    OK,
    Answer,
    LoopbackPods,
    Unlimited,
    document,
    drip,
    endless,
    fixed,
    reset,
    silence,
)

LIMIT = 100_000
SHORT = 0.3
"""Timeout of responses that never end, in seconds."""
LONG = 60.0
"""Timeout of responses that must be refused long before it."""
INVALID = "/counts is not valid HTTP/1.1, or its headers are too large"
LARGER = f"/counts is larger than {LIMIT} bytes"
PIECES = f"/counts came in too many pieces of less than {MIN_PIECE} bytes"
LATE = "/counts did not respond within 0.3 s"
BOMB = gzip.compress(b" " * 10_000_000)
ENDS = "/counts ended before its end"


def status(line: bytes, headers: bytes = b"") -> Answer:
    """A response of this status with an empty JSON document."""
    return fixed(b"HTTP/1.1 " + line + b"\r\n" + JSON + headers + b"content-length: 2\r\n\r\n{}")


def with_headers(headers: bytes) -> Answer:
    """A JSON document of two bytes with these headers."""
    return fixed(OK + JSON + headers + b"\r\n{}")


SLOW: dict[str, Answer] = {
    "never responds": silence,
    "drips the status line": drip(b"", b"H", seconds=0.01),
    "drips headers": drip(OK, b"x: y\r\n", seconds=0.01),
    "drips a body": drip(OK + JSON + b"\r\n", b" ", seconds=0.01),
    "drips chunks": drip(CHUNKED, b"1\r\n \r\n", seconds=0.01),
    "announces more than it sends": drip(OK + JSON + b"content-length: 99\r\n\r\n{", b"", seconds=9),
    "drips responses of status 100": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", seconds=0.1),
}
REFUSED: dict[str, tuple[Answer, str]] = {
    "an endless body": (endless(OK + JSON + b"\r\n", b" " * 65_536), LARGER),
    "a body of a terabyte": (fixed(OK + JSON + b"content-length: 1000000000000\r\n\r\n"), LARGER),
    "a length of 5,000 digits": (with_headers(b"content-length: " + b"9" * 5_000 + b"\r\n"), INVALID),
    "a negative length": (with_headers(b"content-length: -2\r\n"), INVALID),
    "two lengths": (with_headers(b"content-length: 2\r\ncontent-length: 3\r\n"), INVALID),
    "an endless chunk": (endless(CHUNKED + b"ffffffffffffffff\r\n", b" " * 65_536), LARGER),
    "chunks of one byte": (
        endless(CHUNKED, b"1\r\n \r\n" * 1_000),
        PIECES,
    ),
    "an endless chunk extension": (endless(CHUNKED + b"1;", b"a" * 65_536), INVALID),
    "an endless trailer": (endless(CHUNKED + b"0\r\n", b"x: y\r\n" * 1_000), INVALID),
    "an endless header": (endless(OK + b"x: ", b"a" * 65_536), INVALID),
    "endless headers": (endless(OK, b"x: y\r\n" * 1_000), INVALID),
    "an endless status line": (endless(b"HTTP/1.1 200 ", b"a" * 65_536), INVALID),
    "responses of status 100": (
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000),
        "/counts began with more than 4 responses of a status 1xx",
    ),
    "early hints": (
        endless(b"", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"),
        "/counts began with more than 4 responses of a status 1xx",
    ),
    "another protocol": (fixed(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n"), INVALID),
    "a TLS handshake": (fixed(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), INVALID),
    "the preface of HTTP/2": (fixed(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), INVALID),
    "a document without headers": (fixed(b'{"rows": 1}\r\n\r\n'), INVALID),
    "nothing": (fixed(b""), ENDS),
    "half a status line": (fixed(b"HTTP/1.1 20"), ENDS),
    "half a document": (fixed(OK + JSON + b'content-length: 99\r\n\r\n{"rows":'), ENDS),
    "half a chunk": (fixed(CHUNKED + b"9\r\n{"), ENDS),
    "a reset connection": (reset, "/counts: Connection reset by peer"),
    "a gzip bomb": (
        fixed(OK + JSON + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(BOMB) + BOMB),
        "/counts is compressed although identity encoding was requested",
    ),
    "compressed chunks": (with_headers(b"transfer-encoding: gzip, chunked\r\n"), INVALID),
    "a redirect to metadata": (
        status(b"302 Found", b"location: http://169.254.169.254/latest\r\n"),
        "/counts returned status 302; expected 200",
    ),
    "a permanent redirect": (
        status(b"308 Permanent Redirect", b"location: /profile\r\n"),
        "/counts returned status 308; expected 200",
    ),
    "part of a document": (status(b"206 Partial Content"), "/counts returned status 206; expected 200"),
    "an error": (status(b"500 Internal Server Error"), "/counts returned status 500; expected 200"),
    "a page": (
        fixed(OK + b"content-type: text/html\r\ncontent-length: 6\r\n\r\n<html>"),
        "/counts is text/html; expected application/json",
    ),
    "no content type": (
        fixed(OK + b"content-length: 2\r\n\r\n{}"),
        "/counts is of an invalid or missing content type; expected application/json",
    ),
    "a content type with control characters": (
        fixed(OK + b"content-type: \x1b[2Jrm -rf\r\ncontent-length: 2\r\n\r\n{}"),
        "/counts is of an invalid or missing content type; expected application/json",
    ),
    "a content type that is a sentence": (
        fixed(OK + b"content-type: please/run kubectl delete\r\ncontent-length: 2\r\n\r\n{}"),
        "/counts is of an invalid or missing content type; expected application/json",
    ),
    "a header with a null byte": (with_headers(b"x: a\x00b\r\ncontent-length: 2\r\n"), INVALID),
    "a header without a name": (with_headers(b": x\r\ncontent-length: 2\r\n"), INVALID),
}


async def answered(answer: Answer, *, seconds: float = LONG) -> bytes | ScrapeFailure:
    """What the scraper returns for a pod with this answer."""
    async with LoopbackPods({"/counts": answer}) as pods:
        source = HttpMetricsSource(port=pods.port, timeout=seconds, allowed=lambda _: True)
        return await source.read("127.8.0.1", "/counts", limit=LIMIT, allowance=Unlimited())


@pytest.mark.parametrize("case", SLOW)
async def test_a_pod_that_is_slow_for_ever_fails_at_the_deadline(case: str) -> None:
    assert await answered(SLOW[case], seconds=SHORT) == ScrapeFailure(LATE)


@pytest.mark.parametrize("case", REFUSED)
async def test_a_hostile_response_is_refused(case: str) -> None:
    """The message is one that we wrote: nothing that the pod sent is in it, so nothing of it gets into a status."""
    answer, message = REFUSED[case]
    assert await answered(answer) == ScrapeFailure(message)


HONEST: dict[str, Answer] = {
    "an honest pod": document(b"{}"),
    "one that is close to the limit": document(b"{" + b" " * (LIMIT - 2) + b"}"),
    "one behind a proxy that sends chunks": fixed(CHUNKED + b"1\r\n{\r\n1\r\n}\r\n0\r\nx-trailer: 1\r\n\r\n"),
    "one with early hints": fixed(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK + JSON + b"content-length: 2\r\n\r\n{}"),
    "one that speaks HTTP/1.0": fixed(b"HTTP/1.0 200 OK\r\n" + JSON + b"\r\n{}"),
    "one with a character set": fixed(
        OK + b"Content-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}"
    ),
    "one that sends more than the document": fixed(OK + JSON + b"content-length: 2\r\n\r\n{}" + OK + b"\r\n"),
    "one with many headers": with_headers(b"x-mesh: 0123456789\r\n" * 500 + b"content-length: 2\r\n"),
}


@pytest.mark.parametrize("case", HONEST)
async def test_an_honest_response_is_read(case: str) -> None:
    found = await answered(HONEST[case])
    assert isinstance(found, bytes), found
    assert found.replace(b" ", b"") == b"{}"


async def test_a_document_that_arrives_slowly_is_read() -> None:
    """A hundred pieces in half a second. Pauses between reads lose nothing."""

    async def slowly(writer: asyncio.StreamWriter) -> None:
        writer.write(OK + JSON + b"content-length: 50000\r\n\r\n")
        for _ in range(100):
            writer.write(b" " * 500)
            await writer.drain()
            await asyncio.sleep(0.005)

    assert await answered(slowly) == b" " * 50_000


async def test_single_bytes_do_not_keep_the_event_loop_busy() -> None:
    """However fast the bytes arrive, the pauses between two reads double up to a quarter of a second."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0.001)

    async with LoopbackPods({"/counts": drip(OK + JSON + b"\r\n", b" ", seconds=0)}) as pods:
        source = HttpMetricsSource(port=pods.port, timeout=SHORT, allowed=lambda _: True, sleep=sleep)
        await source.read("127.8.0.1", "/counts", limit=LIMIT, allowance=Unlimited())
    assert pauses[:10] == [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.25, 0.25]


async def test_headers_are_bounded() -> None:
    """16 KiB of headers are read, more are not."""
    assert await answered(with_headers(b"x: " + b"a" * (2 * HEAD_BYTES) + b"\r\ncontent-length: 2\r\n")) == (
        ScrapeFailure(INVALID)
    )
