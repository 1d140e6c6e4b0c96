"""Serves the metrics of the operator: few connections at once, each with a deadline, if wanted only with a token."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import aiohttp
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from perennate.kube.runtime.connection import Connection, ConnectionSettingsError, connect

PATH: Final = "/metrics"
CONNECTIONS: Final = 8
"""Connections that are served at once; further ones are closed."""
_REQUEST_SECONDS: Final = 5.0
_REVIEW_SECONDS: Final = 5.0
_REMEMBER_SECONDS: Final = 60.0
_REMEMBERED: Final = 256


class Access(Enum):
    """What a caller of the metrics gets, as status of the response."""

    ALLOWED = 200
    NO_TOKEN = 401
    FORBIDDEN = 403
    UNKNOWN = 503
    """The API server did not answer."""


Review = Callable[[str], Access]
"""Decides about a bearer token."""


@dataclass
class RememberedReview:
    """Reviews tokens one at a time, and remembers each verdict for a minute.

    So a caller with many invalid tokens makes no more than one call to the API server at a time.

    Attributes:
        review: decides about a token that is not remembered.
        clock: monotonic time in seconds.
    """

    review: Review
    clock: Callable[[], float] = time.monotonic
    _verdicts: dict[bytes, tuple[float, Access]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, token: str) -> Access:
        """The verdict. One that is unknown is not remembered."""
        key = hashlib.sha256(token.encode()).digest()
        with self._lock:
            since, verdict = self._verdicts.get(key, (0.0, None))
            if verdict is not None and self.clock() - since < _REMEMBER_SECONDS:
                return verdict
            self._verdicts.pop(key, None)
            verdict = self.review(token)
            if verdict is not Access.UNKNOWN:
                while len(self._verdicts) >= _REMEMBERED:
                    del self._verdicts[next(iter(self._verdicts))]
                self._verdicts[key] = (self.clock(), verdict)
            return verdict


def token_review(environ: Mapping[str, str]) -> RememberedReview:
    """Asks the API server: whose is the token (TokenReview), and may they get /metrics (SubjectAccessReview)?"""

    def review(token: str) -> Access:
        try:
            return asyncio.run(_review(environ, token))
        except (aiohttp.ClientError, ConnectionSettingsError, OSError, TimeoutError, KeyError):
            return Access.UNKNOWN

    return RememberedReview(review)


async def _review(environ: Mapping[str, str], token: str) -> Access:
    connection = await connect(environ)
    async with asyncio.timeout(_REVIEW_SECONDS), connection.api, connection.open_session() as session:
        found = await _ask(connection, session, "authentication.k8s.io/v1", "TokenReview", {"token": token})
        if not found.get("authenticated"):
            return Access.NO_TOKEN
        user = found["user"]
        subject = {
            "user": user.get("username", ""),
            "groups": user.get("groups", []),
            "uid": user.get("uid", ""),
            "extra": user.get("extra", {}),
            "nonResourceAttributes": {"path": PATH, "verb": "get"},
        }
        found = await _ask(connection, session, "authorization.k8s.io/v1", "SubjectAccessReview", subject)
        return Access.ALLOWED if found.get("allowed") else Access.FORBIDDEN


async def _ask(
    connection: Connection, session: aiohttp.ClientSession, version: str, kind: str, spec: dict[str, Any]
) -> dict[str, Any]:
    """The status of a review."""
    body = {"apiVersion": version, "kind": kind, "spec": spec}
    url = f"{connection.server}/apis/{version}/{kind.lower()}s"
    async with session.post(url, json=body, headers=await connection.headers(), raise_for_status=True) as response:
        document = await response.json()
        status: dict[str, Any] = document["status"]
        return status


def serve_metrics(registry: CollectorRegistry, port: int, review: Review | None = None) -> ThreadingHTTPServer:
    """Serve the metrics on `port` until the server is shut down; `server_port` is the actual port.

    Args:
        registry: the metrics.
        port: 0 lets the system choose.
        review: decides about bearer tokens; without it, everybody may read the metrics.
    """
    free = threading.BoundedSemaphore(CONNECTIONS)

    class Handler(BaseHTTPRequestHandler):
        """Responds with the metrics in the text format of Prometheus."""

        timeout = _REQUEST_SECONDS

        def do_GET(self) -> None:
            """Respond to a scrape."""
            access = _access(self.headers.get("Authorization", ""), review)
            self._respond(access.value, generate_latest(registry) if access is Access.ALLOWED else b"")

        def _respond(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if status == Access.NO_TOKEN.value:
                self.send_header("WWW-Authenticate", "Bearer")
            self.send_header("Content-Type", CONTENT_TYPE_LATEST)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Do not log scrapes."""

    class Server(ThreadingHTTPServer):
        """Serves at most `CONNECTIONS` requests at once."""

        daemon_threads = True

        def process_request(self, request: Any, client_address: Any) -> None:
            """Serve in a thread, or close the connection if there are too many."""
            if free.acquire(blocking=False):
                super().process_request(request, client_address)
            else:
                self.shutdown_request(request)

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            """Serve, and make room for the next connection."""
            try:
                super().process_request_thread(request, client_address)
            finally:
                free.release()

    server = Server(("", port), Handler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def _access(header: str, review: Review | None) -> Access:
    if review is None:
        return Access.ALLOWED
    scheme, _, token = header.partition(" ")
    return review(token.strip()) if scheme.lower() == "bearer" and token.strip() else Access.NO_TOKEN
