"""Decompression of request bodies, in steps of bounded size."""

from __future__ import annotations

import zlib
from http import HTTPStatus
from typing import Final

from perennate.serving.request_error import RequestError

GZIP: Final = frozenset({"gzip", "x-gzip"})
GZIP_WINDOW: Final = 31
"""`wbits` of zlib for the format gzip."""


def inflater_for(encoding: str | None) -> Inflater | None:
    """What decompresses a body with a content encoding; None if nothing has to.

    Raises:
        RequestError: the encoding is not supported.
    """
    name = (encoding or "identity").strip().lower()
    if name in GZIP:
        return Inflater()
    if name != "identity":
        raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content-encoding: must be gzip or identity")
    return None


class Inflater:
    """Decompresses a gzip body in steps."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(GZIP_WINDOW)

    def next(self, part: bytes, limit: int) -> bytes:
        """The next bytes, at most `limit` of them.

        Raises:
            RequestError: the body is not in the format gzip.
        """
        try:
            content = self._stream.decompress(part, limit)
        except zlib.error:
            raise _not_gzip() from None
        if self._stream.unused_data:
            raise _not_gzip()
        return content

    def check_end(self) -> None:
        """Raise RequestError if the body ended too early."""
        if not self._stream.eof:
            raise _not_gzip()


def _not_gzip() -> RequestError:
    return RequestError(HTTPStatus.BAD_REQUEST, "body: must be one complete gzip stream, as its content-encoding says")
