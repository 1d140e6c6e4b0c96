"""Reads the HTTP response of a serving pod from its bytes, within limits. Does no input or output."""

from __future__ import annotations

import re
from typing import Final

import h11

RECEIVE_BYTES: Final = 64 * 1024
"""Most bytes that are parsed at once."""
HEAD_BYTES: Final = 16 * 1024
"""Maximum size of the headers, of a trailer, and of the line that begins a chunk."""
MAX_INFORMATIONAL: Final = 4
"""Maximum number of responses with a status 1xx before the response itself."""
MIN_PIECE: Final = 4096
FREE_PIECES: Final = 64
"""Chunks and reads from the connection must have `MIN_PIECE` bytes on average, besides this number of smaller ones."""
_CONTENT_TYPE: Final = re.compile(rb"[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,40}")


class InvalidResponseError(Exception):
    """A response that is not read; the message completes a sentence that begins with its path."""


class ResponseReader:
    """One request and its response.

    Args:
        path: path of the request.
        host: value of its header `Host`.
        limit: maximum size of the document in bytes.

    Attributes:
        request: the bytes to send.
        document: the body of the response; None until it is complete.
    """

    def __init__(self, path: str, host: str, limit: int) -> None:
        self._limit = limit
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
        self._body = bytearray()
        self._informational = 0
        self._pieces = 0
        self._in_body = False
        self.document: bytes | None = None
        headers = [("Host", host), ("Accept", "application/json"), ("Accept-Encoding", "identity")]
        request = h11.Request(method="GET", target=path, headers=[*headers, ("Connection", "close")])
        self.request: Final = (self._connection.send(request) or b"") + (
            self._connection.send(h11.EndOfMessage()) or b""
        )

    @property
    def size(self) -> int:
        """Bytes of the document so far."""
        return len(self._body if self.document is None else self.document)

    @property
    def wanted(self) -> int:
        """Most bytes to receive next."""
        return RECEIVE_BYTES if self._in_body else HEAD_BYTES

    def feed(self, data: bytes) -> None:
        """Parse what the pod sent; no bytes if it closed the connection.

        Raises:
            InvalidResponseError: the response is not valid, is not a JSON document, or exceeds a limit.
        """
        try:
            self._connection.receive_data(data)
            while self.document is None and (event := self._connection.next_event()) is not h11.NEED_DATA:
                self._take(event)
        except h11.RemoteProtocolError as error:
            reason = "ended before its end" if not data else "is not valid HTTP/1.1, or its headers are too large"
            raise InvalidResponseError(reason) from error

    def _take(self, event: object) -> None:
        if isinstance(event, h11.InformationalResponse):
            self._informational += 1
            if self._informational > MAX_INFORMATIONAL:
                raise InvalidResponseError(f"began with more than {MAX_INFORMATIONAL} responses of a status 1xx")
        elif isinstance(event, h11.Response):
            self._check_head(event)
            self._in_body = True
        elif isinstance(event, h11.Data):
            self._body += event.data
            self._check_size(len(self._body))
            self._count_piece()
        elif isinstance(event, h11.EndOfMessage):
            self.document = bytes(self._body)
            # Release its memory.
            self._body = bytearray()
        else:
            raise InvalidResponseError("ended before its end")

    def _check_head(self, response: h11.Response) -> None:
        """Raise unless the response is a JSON document of a size that may be read."""
        headers = dict(response.headers)
        if response.status_code != 200:
            raise InvalidResponseError(f"returned status {response.status_code}; expected 200")
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise InvalidResponseError("is compressed although identity encoding was requested")
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if kind != b"application/json":
            shown = kind.decode() if _CONTENT_TYPE.fullmatch(kind) else "of an invalid or missing content type"
            raise InvalidResponseError(f"is {shown}; expected application/json")
        self._check_size(int(headers.get(b"content-length", b"0")))

    def _check_size(self, size: int) -> None:
        if size > self._limit:
            raise InvalidResponseError(f"is larger than {self._limit} bytes")

    def _count_piece(self) -> None:
        self._pieces += 1
        if self._pieces > FREE_PIECES + len(self._body) / MIN_PIECE:
            raise InvalidResponseError(f"came in too many pieces of less than {MIN_PIECE} bytes")
