"""A user of the API server. Every call is sent and answered as for kubectl."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from perennate.api.meta import Manifest
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import EVENT, Resource
from tests.support.cluster.waiting import eventually

_TIMEOUT_SECONDS = 60.0
_PATCHES = {"merge": "application/merge-patch+json", "apply": "application/apply-patch+yaml"}


class Refused(Exception):  # noqa: N818
    """The API server refused a call; `code` is the HTTP status, `message` its explanation."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


@dataclass
class KubeUser:
    """Calls the API server of a kubeconfig with embedded certificates.

    Attributes:
        kubeconfig: address and certificates.
        act_as: name of another user in whose name it calls.
    """

    kubeconfig: Path
    act_as: str = ""
    _server: str = field(init=False)
    _tls: ssl.SSLContext = field(init=False)

    def __post_init__(self) -> None:
        document = json.loads(self.kubeconfig.read_text())
        self._server = document["clusters"][0]["cluster"]["server"]
        self._tls = tls_of(document)

    def create(self, manifest: Manifest) -> Manifest:
        """POST the object; unknown fields are rejected, as for kubectl."""
        path = RESOURCES.of(manifest).path(manifest["metadata"]["namespace"])
        return self.call("POST", path, manifest, query={"fieldValidation": "Strict"})

    def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """The object, or None."""
        try:
            return self.call("GET", resource.path(namespace, name))
        except Refused as error:
            if error.code == http.client.NOT_FOUND:
                return None
            raise

    def list(self, resource: Resource, namespace: str, *, selector: str = "") -> list[Manifest]:
        """All objects of a kind in a namespace."""
        answer = self.call("GET", resource.path(namespace), query={"labelSelector": selector})
        items: list[Manifest] = answer["items"]
        return items

    def reasons(self, namespace: str, name: str) -> Counter[str]:
        """The number of Events about an object by reason."""
        items = self.list(EVENT, namespace)
        return Counter(event["reason"] for event in items if event["involvedObject"]["name"] == name)

    def edit(
        self, resource: Resource, namespace: str, name: str, change: Manifest, *, status: bool = False
    ) -> Manifest:
        """Merge-patch the object or its status."""
        path = resource.path(namespace, name, subresource="status" if status else None)
        return self.call("PATCH", path, change, query={"fieldValidation": "Strict"}, patch="merge")

    def delete(self, resource: Resource, namespace: str, name: str) -> None:
        """Delete the object; its dependents are deleted in the background."""
        self.call("DELETE", resource.path(namespace, name), {"propagationPolicy": "Background"})

    def ensure_namespace(self, name: str) -> str:
        """Create a namespace and return its name."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.call("POST", "/api/v1/namespaces", body)
        return name

    def wait_for(self, resource: Resource, namespace: str, name: str, **status: Any) -> Manifest:
        """Wait until fields of the object's status have these values; return the object.

        Raises:
            AssertionError: they never have. The message contains the object.
        """
        seen: list[Manifest | None] = [None]

        def holds() -> bool:
            seen[0] = self.get(resource, namespace, name)
            found = (seen[0] or {}).get("status", {})
            return seen[0] is not None and all(found.get(key) == value for key, value in status.items())

        assert eventually(holds), f"{name} is not {status}: {json.dumps(seen[0])[:3000]}"
        assert seen[0] is not None
        return seen[0]

    def call(
        self,
        method: str,
        path: str,
        body: Manifest | None = None,
        *,
        query: dict[str, str] | None = None,
        patch: str = "merge",
    ) -> Manifest:
        """Make one call.

        Raises:
            Refused: the server answered with an error status.
        """
        where = urlsplit(self._server)
        connection = http.client.HTTPSConnection(
            where.hostname or "", where.port, timeout=_TIMEOUT_SECONDS, context=self._tls
        )
        kind = _PATCHES[patch] if method == "PATCH" else "application/json"
        words = urlencode({key: value for key, value in (query or {}).items() if value})
        try:
            content = None if body is None else json.dumps(body)
            headers = {"Content-Type": kind} | ({"Impersonate-User": self.act_as} if self.act_as else {})
            connection.request(method, f"{path}?{words}", body=content, headers=headers)
            answer = connection.getresponse()
            document: Manifest = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            raise Refused(answer.status, document.get("message", ""))
        return document


def tls_of(kubeconfig: dict[str, Any]) -> ssl.SSLContext:
    """The TLS context for a kubeconfig with embedded certificates."""
    authority = kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"]
    user = kubeconfig["users"][0]["user"]
    context = ssl.create_default_context(cadata=base64.b64decode(authority).decode())
    with tempfile.TemporaryDirectory() as folder:
        # The ssl module reads client certificates only from files.
        certificate, key = Path(folder) / "certificate", Path(folder) / "key"
        certificate.write_bytes(base64.b64decode(user["client-certificate-data"]))
        key.write_bytes(base64.b64decode(user["client-key-data"]))
        context.load_cert_chain(certificate, key)
    return context
