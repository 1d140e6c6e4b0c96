"""A `KubeClient` with the credentials and TLS of the official client, but raw calls: its models drop unknown fields."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Self

import aiohttp
import orjson

from perennate.api.meta import Manifest
from perennate.kube.runtime.bucket import TokenBucket
from perennate.kube.runtime.client import ApiError, MetricsRecorder
from perennate.kube.runtime.connection import Connection
from perennate.kube.runtime.resources import Resource, Resources

CALL_SECONDS: Final = 15.0
"""Timeout of one call in seconds; a page of a LIST has twice as much."""
PAGE: Final = 500
"""Objects in one page of a LIST."""
_RETRY_AFTER_LIMIT: Final = 60.0
_JSON: Final = "application/json"
_APPLY: Final = "application/apply-patch+yaml"


class OfficialClient:
    """Calls the API server of a connection. Use as a context manager.

    Args:
        connection: address and credentials.
        resources: the resources that it can write.
        writes: limits the rate of writes.
        recorder: counts every call.
    """

    def __init__(
        self, connection: Connection, *, resources: Resources, writes: TokenBucket, recorder: MetricsRecorder
    ) -> None:
        self._connection = connection
        self._resources = resources
        self._writes = writes
        self._recorder = recorder
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._session = self._connection.open_session()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """The current object; None if there is none."""
        try:
            return await self._call("GET", resource.path(namespace, name))
        except ApiError as error:
            if error.not_found:
                return None
            raise

    async def list(
        self, resource: Resource, *, namespace: str | None = None, selector: str = ""
    ) -> AsyncIterator[Manifest]:
        """All objects of a resource in a namespace, or in all, as one consistent list, page by page."""
        query = {"limit": str(PAGE)} | ({"labelSelector": selector} if selector else {})
        token = ""
        while True:
            page = await self._call(
                "GET",
                resource.path(namespace),
                query=query | ({"continue": token} if token else {}),
                seconds=2 * CALL_SECONDS,
            )
            for item in page["items"]:
                # Items of a list have no apiVersion and kind.
                yield {"apiVersion": resource.api_version, "kind": resource.kind, **item}
            token = page["metadata"].get("continue", "")
            if not token:
                return

    async def create(self, manifest: Manifest) -> Manifest:
        """POST the object; return the stored one."""
        path = self._resources.of(manifest).path(manifest["metadata"]["namespace"])
        return await self._call("POST", path, query={"fieldManager": "perennate"}, body=manifest)

    async def apply(self, manifest: Manifest, *, manager: str, subresource: str | None = None) -> Manifest:
        """Server-side apply with forced conflicts; return the stored object."""
        metadata = manifest["metadata"]
        path = self._resources.of(manifest).path(metadata["namespace"], metadata["name"], subresource=subresource)
        return await self._call("PATCH", path, query={"fieldManager": manager, "force": "true"}, body=manifest)

    async def replace(self, manifest: Manifest) -> Manifest:
        """PUT the object; its resourceVersion is the precondition. Return the stored object."""
        metadata = manifest["metadata"]
        return await self._call(
            "PUT", self._resources.of(manifest).path(metadata["namespace"], metadata["name"]), body=manifest
        )

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """Delete the object with this uid. Succeeds if it is gone or if the name has another uid now."""
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        try:
            await self._call("DELETE", resource.path(namespace, name), body=body)
        except ApiError as error:
            if not (error.not_found or error.conflict):
                raise

    async def _call(
        self,
        verb: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        seconds: float = CALL_SECONDS,
    ) -> Manifest:
        """One call within its timeout. A write first waits for a token, which does not count towards the timeout."""
        if verb != "GET":
            await self._writes.take()
        code = 0
        try:
            async with asyncio.timeout(seconds):
                code, headers, content = await self._exchange(verb, path, query, body)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ApiError(f"{verb} {path}: no response within {seconds:.0f} s: {error!r}") from error
        finally:
            self._recorder.api_request(verb, code)
        return _document(f"{verb} {path}", code, headers, content)

    async def _exchange(
        self, verb: str, path: str, query: Mapping[str, str] | None, body: Manifest | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        if self._session is None:
            raise RuntimeError("the client is closed; use it as a context manager")
        headers = await self._connection.headers() | {"Accept": _JSON}
        if body is not None:
            headers["Content-Type"] = _APPLY if verb == "PATCH" else _JSON
        async with self._session.request(
            verb,
            self._connection.server + path,
            params=query,
            headers=headers,
            data=None if body is None else orjson.dumps(body),
            allow_redirects=False,
        ) as response:
            return response.status, response.headers, await response.read()


def _document(call: str, code: int, headers: Mapping[str, str], content: bytes) -> Manifest:
    """The document in a response.

    Raises:
        ApiError: the server rejected the call, or the response is not a JSON object.
    """
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        document = None
    succeeded = 200 <= code < 300
    if succeeded and isinstance(document, dict):
        return document
    if succeeded:
        raise ApiError(f"{call}: the response is not a JSON object: {content[:200]!r}")
    status: dict[str, Any] = document if isinstance(document, dict) else {}
    message = status.get("message") or content[:200].decode(errors="replace")
    causes = tuple(cause.get("reason", "") for cause in (status.get("details") or {}).get("causes", ()))
    raise ApiError(
        f"{call}: {code} {message}",
        code=code,
        reason=status.get("reason", ""),
        causes=causes,
        retry_after=_retry_after(headers.get("Retry-After", "")),
    )


def _retry_after(text: str) -> float:
    """Seconds of a Retry-After header, at most `_RETRY_AFTER_LIMIT`; 0 if it is a date or not valid."""
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return min(seconds, _RETRY_AFTER_LIMIT) if seconds > 0 else 0.0
