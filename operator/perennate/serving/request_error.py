"""Error responses, the same for every route."""

from __future__ import annotations

from http import HTTPStatus

import orjson
from starlette.responses import Response

JSON = "application/json"


class RequestError(Exception):
    """A request that gets an error response.

    Args:
        status: the HTTP status.
        reason: the place in the request, what was expected, and what was found.
    """

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason

    def response(self, *, close: bool = False) -> Response:
        """The response `{"error": reason}`; `close` also closes the connection."""
        headers = {"connection": "close"} if close else None
        return Response(orjson.dumps({"error": self.reason}), self.status, headers, JSON)


def malformed(reason: str) -> RequestError:
    """400: the body does not have the structure that the route expects."""
    return RequestError(HTTPStatus.BAD_REQUEST, reason)


def unprocessable(reason: str) -> RequestError:
    """422: the structure of the body is right, but the model does not accept its values."""
    return RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, reason)


def read_json(body: bytes) -> object:
    """The JSON value of a body.

    Raises:
        RequestError: it is not JSON. NaN and infinity are not JSON; a missing value is null.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(f"body: must be JSON, {error}") from None


def json_kind(value: object) -> str:
    """The type of a JSON value in words. Error messages never repeat the value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"
