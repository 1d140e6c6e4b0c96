"""A minimal API client on the standard library, for starting a cluster: probe, read, server-side apply."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

#: A Kubernetes object as decoded JSON.
Document = dict[str, Any]

_FIELD_MANAGER = "perennate-test-cluster"
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_TIMEOUT_SECONDS = 5.0
_HTTP_OK = range(200, 300)


class ApiError(Exception):
    """The API server rejected a request; the message has its error."""


@dataclass(frozen=True, slots=True)
class ApiClient:
    """A client of one API server, with the certificate of the administrator.

    Attributes:
        server: URL of the API server.
        pki: folder with `ca.crt`, `admin.crt` and `admin.key`.
    """

    server: str
    pki: Path

    def get(self, path: str) -> Document:
        """Return the document at `path`.

        Raises:
            ApiError: the server answered with an error status.
            OSError: the server did not answer.
        """
        document: Document = json.loads(self._request("GET", path))
        return document

    def ready(self) -> bool:
        """Return whether the API server answers and is ready."""
        try:
            return self._request("GET", "/readyz") == "ok"
        except (OSError, http.client.HTTPException, ApiError):
            return False

    def exists(self, path: str) -> bool:
        """Return whether the API server answers and has an object at `path`."""
        try:
            self._request("GET", path)
        except (OSError, http.client.HTTPException, ApiError):
            return False
        return True

    def apply(self, path: str, document: Document) -> None:
        """Apply `document` to the object at `path` with server-side apply.

        Raises:
            ApiError: the server rejected it.
        """
        self._request("PATCH", f"{path}?fieldManager={_FIELD_MANAGER}&force=true", json.dumps(document))

    def release_volume(self, path: str) -> None:
        """Remove the claim reference of the persistent volume at `path`, which makes it available again.

        Raises:
            ApiError: the server rejected it.
        """
        self._request("PATCH", path, json.dumps({"spec": {"claimRef": None}}), content_type=_MERGE)

    def _request(self, method: str, path: str, body: str | None = None, *, content_type: str = _APPLY) -> str:
        where = urlsplit(self.server)
        # A new connection per call: there are few calls, and the server may have been replaced since the last one.
        connection = http.client.HTTPSConnection(
            where.hostname or "", where.port, timeout=_TIMEOUT_SECONDS, context=self._tls()
        )
        try:
            headers = {"Accept": "application/json", "Content-Type": content_type}
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status not in _HTTP_OK:
            raise ApiError(f"{method} {path}: {answer.status} {text.strip()[:500]}")
        return text

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.pki / "ca.crt")
        context.load_cert_chain(self.pki / "admin.crt", self.pki / "admin.key")
        return context
