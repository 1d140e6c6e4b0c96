"""Ids of requests: `X-Request-Id`, and `traceparent` of W3C Trace Context."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUEST_ID: Final = b"x-request-id"
TRACEPARENT: Final = b"traceparent"
VISIBLE: Final = re.compile(rb"[\x21-\x7e]{1,128}")
# Of a later version than 00, further fields may follow.
PARENT: Final = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]*)?"
)


@dataclass(frozen=True)
class RequestIds:
    """The ids of one request.

    Args:
        request_id: that of the client, or a new one.
        parent: the valid `traceparent` header of the client.
        trace_id: the trace in it.
    """

    request_id: bytes
    parent: bytes | None
    trace_id: bytes | None

    @classmethod
    def of(cls, headers: Iterable[tuple[bytes, bytes]]) -> RequestIds:
        """The ids of a request with these headers. An id that is not valid is ignored."""
        request_id = parent = trace_id = None
        for name, value in headers:
            if name == REQUEST_ID and VISIBLE.fullmatch(value):
                request_id = value
            elif name == TRACEPARENT and (found := PARENT.fullmatch(value)):
                parent, trace_id = value, found[1]
        return cls(request_id or b"%016x" % random.getrandbits(64), parent, trace_id)

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of the response."""
        own = [(REQUEST_ID, self.request_id)]
        return own if self.parent is None else [*own, (TRACEPARENT, self.parent)]
