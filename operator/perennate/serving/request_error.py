"""Error responses, the same for every route.

The web framework is imported where it is used: the train stage checks records too, and its image has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from json import JSONDecodeError

    from starlette.responses import Response

JSON = "application/json"
BINARY = "application/octet-stream"
"""Content type of a body with binary tensors after its JSON object."""
LISTED: Final = 10
"""Maximum number of invalid values that a response lists."""
SPELLED_OUT: Final = 3
"""Number of invalid values that the sentence of a response describes."""
MISSING_WORDS: Final = ("nan", "inf", "none", "null", "nil", "undefined", "na,", "na}", "na]")
"""How other languages begin a missing value or one that is not finite, in lower case."""
WORD_LETTERS: Final = 10


@dataclass(frozen=True)
class InvalidValue:
    """One reason to refuse a request.

    Args:
        path: the place in the request, such as `records[3].TEMP`.
        index: number of the row, from 0; None if the reason holds for all rows.
        feature: name of the feature or field; None if the reason holds for the row.
        error: what is wrong.
    """

    path: str
    index: int | None
    feature: str | None
    error: str

    def __str__(self) -> str:
        return f"{self.path}: {self.error}"

    def document(self) -> dict[str, Any]:
        """The entry of the response's list `invalid`."""
        place = {"index": self.index, "feature": self.feature}
        return {**{key: value for key, value in place.items() if value is not None}, "error": self.error}


class RequestError(Exception):
    """A request that gets an error response.

    Args:
        status: the HTTP status.
        reason: the place in the request, what was expected, and what was found.
        invalid: the single invalid values.
        retry_after: seconds after which the client may send the request again.
        challenge: value of the header WWW-Authenticate of a 401.
    """

    def __init__(
        self,
        status: HTTPStatus,
        reason: str,
        invalid: Sequence[InvalidValue] = (),
        *,
        retry_after: int | None = None,
        challenge: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.invalid = tuple(invalid)
        self.retry_after = retry_after
        self.challenge = challenge

    def document(self) -> dict[str, Any]:
        """The response body: `{"error": reason}`, and the list `invalid` if values are invalid."""
        entries = [value.document() for value in self.invalid]
        return {"error": self.reason, "invalid": entries} if entries else {"error": self.reason}

    def response(self, *, close: bool = False) -> Response:
        """The response; `close` also closes the connection."""
        import orjson  # noqa: PLC0415
        from starlette.responses import Response  # noqa: PLC0415

        headers = {"connection": "close"} if close else {}
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        if self.challenge is not None:
            headers["www-authenticate"] = self.challenge
        return Response(orjson.dumps(self.document()), self.status, headers, JSON)


def malformed(reason: str) -> RequestError:
    """400: the body does not have the structure that the route expects."""
    return RequestError(HTTPStatus.BAD_REQUEST, reason)


def unprocessable(reason: str) -> RequestError:
    """422: the structure of the body is right, but the model does not accept its values."""
    return RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, reason)


def overloaded(cause: str) -> RequestError:
    """503: the pod does not accept the request now, but may in a second.

    Args:
        cause: what there is too much of, such as "too many requests".
    """
    return RequestError(HTTPStatus.SERVICE_UNAVAILABLE, f"{cause} at once; retry later", retry_after=1)


def invalid_values(found: Sequence[InvalidValue]) -> RequestError:
    """422 for the invalid values of a request, of which there is at least one.

    Args:
        found: the values in the order of the request. More than `LISTED` are cut, and the response says so.
    """
    shown = found[:LISTED]
    reason = "; ".join(map(str, shown[:SPELLED_OUT]))
    if len(found) > LISTED:
        reason += f'; and more; the first {LISTED} are listed in "invalid"'
    elif len(found) > SPELLED_OUT:
        reason += f'; and {len(found) - SPELLED_OUT} more, listed in "invalid"'
    return RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, reason, shown)


def read_json(body: bytes) -> object:
    """The JSON value of a body.

    Raises:
        RequestError: it is not JSON. NaN and infinity are not JSON; a missing value is null.
    """
    import orjson  # noqa: PLC0415

    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(f"body: must be JSON, {error}{_missing_value_hint(error)}") from None


def _missing_value_hint(error: JSONDecodeError) -> str:
    """What to send instead, if the parser failed at what other languages write for a missing value."""
    word = error.doc[error.pos : error.pos + WORD_LETTERS].lower().lstrip("-")
    if word.startswith(MISSING_WORDS) or "infinity" in error.msg:
        return "; NaN, infinity and the like are not JSON: send null for a missing value"
    return ""


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
