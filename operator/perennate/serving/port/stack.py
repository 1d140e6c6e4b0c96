"""The middleware of the traffic port, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware, IdentityResponder

from perennate.serving.port.bodies import JSON_LENGTH, BodyMiddleware
from perennate.serving.port.observing import ObservingMiddleware
from perennate.serving.port.pacing import Pacing
from perennate.serving.request_error import BINARY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from perennate.serving.lifecycle import Lifecycle
    from perennate.serving.metrics import Metrics
    from perennate.serving.port.access_log import AccessLog
    from perennate.serving.port.large_bodies import LargeBodies

COMPRESSED_FROM: Final = 1024
"""Size in bytes from which a response is compressed."""
COMPRESSION_LEVEL: Final = 1
"""The fastest."""
REQUEST_HEADERS: Final = (
    "authorization",
    "content-type",
    "content-encoding",
    JSON_LENGTH,
    "traceparent",
    "x-request-id",
)
RESPONSE_HEADERS: Final = (
    "retry-after",
    JSON_LENGTH,
    "traceparent",
    "x-model-version",
    "x-prediction-id",
    "x-request-id",
)


def traffic_app(
    app: ASGIApp,
    *,
    metrics: Metrics,
    lifecycle: Lifecycle,
    log: AccessLog,
    large: LargeBodies,
    is_overloaded: Callable[[], bool],
    waiting: Callable[[], int] = lambda: 0,
    allowed_origins: Sequence[str] = (),
) -> ASGIApp:
    """The application with the middleware of the traffic port.

    Args:
        app: the application.
        metrics: the metrics of the pod.
        lifecycle: the phase of the pod.
        log: the access log.
        large: checks large bodies.
        is_overloaded: whether a request is refused before its body is read.
        waiting: number of requests that wait for their prediction.
        allowed_origins: origins of web pages that may call the pod (CORS); `*` allows all.
    """
    pacing = Pacing()
    metrics.waiting.set_function(lambda: pacing.waiting + waiting())
    wrapped: ASGIApp = Compression(BodyMiddleware(app, large=large, pacing=pacing, is_overloaded=is_overloaded))
    if allowed_origins:
        wrapped = CORSMiddleware(
            wrapped,
            allow_origins=allowed_origins,
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=REQUEST_HEADERS,
            expose_headers=RESPONSE_HEADERS,
        )
    return ObservingMiddleware(wrapped, metrics=metrics, lifecycle=lifecycle, log=log)


class Compression(GZipMiddleware):
    """Compresses responses for clients that accept gzip. Unlike its base, it heeds `gzip;q=0`."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            app,
            minimum_size=COMPRESSED_FROM,
            compresslevel=COMPRESSION_LEVEL,
            # Binary tensors hardly shrink.
            exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, BINARY),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and not accepts_gzip(Headers(scope=scope).get("accept-encoding", "")):
            # It adds `Vary` to what would be compressed for another client.
            await IdentityResponder(self.app, self.minimum_size, exclude_content_types=self.exclude_content_types)(
                scope, receive, send
            )
            return
        await super().__call__(scope, receive, send)


def accepts_gzip(accepted: str) -> bool:
    """Whether an `Accept-Encoding` header names gzip with a weight above 0."""
    for offer in accepted.split(","):
        name, *parameters = (part.strip().lower() for part in offer.split(";"))
        if name == "gzip":
            return not any(
                parameter.replace(" ", "") in {"q=0", "q=0.0", "q=0.00", "q=0.000"} for parameter in parameters
            )
    return False
