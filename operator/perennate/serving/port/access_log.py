"""The access log: one JSON object a line. It has neither bodies nor query strings, so it holds no data of requests."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import orjson

from perennate.serving.port.connections import CLIENT_CLOSED

if TYPE_CHECKING:
    from collections.abc import Callable

    from perennate.api.documents.serving_config import AccessLogMode

ERROR_LINES: Final = 50
"""Maximum lines in a second about errors; in an outage there can be thousands."""
PATH_LENGTH: Final = 200


@dataclass(frozen=True)
class Entry:
    """One request.

    Args:
        method, path: of the request, without query string.
        code: status code of the response, or 499 if the client disconnected before its end.
        seconds: time from the headers of the request to the end of the response.
        request_id: value of the header X-Request-Id.
        trace_id: trace of the header traceparent; None without it.
        bytes_sent: size of the response's body; None if it is not known.
    """

    method: str
    path: str
    code: int
    seconds: float
    request_id: str
    trace_id: str | None
    bytes_sent: int | None

    def document(self) -> dict[str, Any]:
        """The fields of the line."""
        fields = {
            "method": self.method,
            "path": self.path[:PATH_LENGTH],
            "status": self.code,
            "seconds": round(self.seconds, 6),
            "bytes": self.bytes_sent,
            "requestId": self.request_id,
            "traceId": self.trace_id,
        }
        return {name: value for name, value in fields.items() if value is not None}


class AccessLog:
    """Writes the requests that the mode selects.

    Args:
        mode: `All`, `Errors` or `Off`. Errors are status codes from 500, 408, and clients that disconnected.
        clock: seconds since 1970.
        write: writes a line; by default to standard output.
    """

    def __init__(
        self, mode: AccessLogMode, *, clock: Callable[[], float], write: Callable[[str], object] | None = None
    ) -> None:
        self._mode = mode
        self._clock = clock
        self._write = write or _write_line
        self._second = 0
        self._lines = 0
        self._suppressed = 0

    def wants(self, code: int) -> bool:
        """Whether a request with this status code is logged."""
        if self._mode == "Errors":
            return code >= HTTPStatus.INTERNAL_SERVER_ERROR or code in {HTTPStatus.REQUEST_TIMEOUT, CLIENT_CLOSED}
        return self._mode == "All"

    def add(self, entry: Entry) -> None:
        """Write a line. Of many errors in one second, only the first; the next line says how many were left out."""
        now = self._clock()
        if self._mode == "Errors" and not self._may_write(int(now)):
            self._suppressed += 1
            return
        document = {"time": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"), **entry.document()}
        if self._suppressed:
            document["suppressed"], self._suppressed = self._suppressed, 0
        self._write(orjson.dumps(document).decode())

    def _may_write(self, second: int) -> bool:
        if second != self._second:
            self._second, self._lines = second, 0
        self._lines += 1
        return self._lines <= ERROR_LINES


def _write_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
