"""How a request is refused, the same on every route."""

from __future__ import annotations

from http import HTTPStatus

import orjson
from starlette.responses import Response

JSON = "application/json"


class RequestError(Exception):
    """A request that is answered with a reason instead of a result.

    Args:
        status: the HTTP status.
        reason: where in the request, what was expected, what was found.
    """

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason

    def response(self, *, close: bool = False) -> Response:
        """The answer `{"error": reason}`; with `close` the connection ends after it."""
        headers = {"connection": "close"} if close else None
        return Response(orjson.dumps({"error": self.reason}), self.status, headers, JSON)


def malformed(reason: str) -> RequestError:
    """400: the body is not of the form that the route reads."""
    return RequestError(HTTPStatus.BAD_REQUEST, reason)


def unprocessable(reason: str) -> RequestError:
    """422: the body has the right form, but its values do not fit the model."""
    return RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, reason)


def read_json(body: bytes) -> object:
    """The JSON value of a body.

    Raises:
        RequestError: it is no JSON. NaN and infinity are none: a missing value is null.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(f"body: must be JSON, {error}") from None


def json_kind(value: object) -> str:
    """What a JSON value is, in words; its content is never repeated."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"
