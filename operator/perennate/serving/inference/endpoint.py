"""One path of the protocol: clients parse every response as JSON, also that of an error."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect, Request

from perennate.serving.request_error import RequestError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

logger = logging.getLogger(__name__)

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")


class Endpoint:
    """An ASGI application for one path, whose errors are JSON.

    Starlette would answer another method with plain text, and BentoML an exception with a text of its own.

    Args:
        answer: answers a request; may raise RequestError.
        methods: the allowed methods; GET and HEAD by default.
    """

    def __init__(self, answer: Callable[[Request], Awaitable[Response]], *methods: str) -> None:
        self._answer = answer
        self.methods = methods or ("GET", "HEAD")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._respond(Request(scope, receive, send))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method not in self.methods:
            response = RequestError(
                HTTPStatus.METHOD_NOT_ALLOWED, f"method: must be {' or '.join(self.methods)}"
            ).response()
            response.headers["allow"] = ", ".join(self.methods)
            return response
        try:
            return await self._answer(request)
        except RequestError as error:
            return error.response()
        except ClientDisconnect:
            raise
        # Clients of the protocol parse every response as JSON.
        except Exception:
            logger.exception("Answering %s %s", request.method, request.url.path)
            return RequestError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error; see the log of the pod").response()
