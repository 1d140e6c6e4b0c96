"""A `KubeClient` with the credentials and TLS of the official client, but raw calls: its models drop unknown fields."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Self

import aiohttp
import msgspec
import orjson

from perennate.api.meta import Manifest
from perennate.kube.intake.trimming import Page, decode, decode_any, decode_page
from perennate.kube.runtime.bucket import TokenBucket
from perennate.kube.runtime.client import ApiError, MetricsRecorder
from perennate.kube.runtime.connection import Connection
from perennate.kube.runtime.resources import Resource, Resources

CALL_SECONDS: Final = 15.0
"""Timeout of one call in seconds; a page of a LIST has twice as much."""
PAGE: Final = 500
"""Objects in one page of a LIST. Of large objects there are fewer."""
RESPONSE_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of a response that are read. The API server stores no object of a tenth of it."""
_RETRY_AFTER_LIMIT: Final = 60.0
_JSON: Final = "application/json"
_APPLY: Final = "application/apply-patch+yaml"


class ResponseTooLargeError(ApiError):
    """A response has more bytes than are read."""


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
        query = {"labelSelector": selector} if selector else {}
        limit, token = PAGE, ""
        while True:
            words = query | {"limit": str(limit)} | ({"continue": token} if token else {})
            try:
                page = await self._page(resource.path(namespace), words)
            except ResponseTooLargeError:
                if limit == 1:
                    raise
                limit = max(1, limit // 4)
                continue
            for item in page.items:
                yield decode(item, resource.api_version, resource.kind)
            token, limit = page.token, min(PAGE, limit * 2)
            if not token:
                return

    async def _page(self, path: str, query: Mapping[str, str]) -> Page:
        content = await self._fetch("GET", path, query=query, seconds=2 * CALL_SECONDS)
        try:
            return decode_page(content)
        except msgspec.DecodeError as error:
            raise ApiError(f"GET {path}: the response is not a list: {content[:200]!r}") from error

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
        self, verb: str, path: str, *, query: Mapping[str, str] | None = None, body: Manifest | None = None
    ) -> Manifest:
        """One call; the object in its response, trimmed."""
        return _object_in(f"{verb} {path}", await self._fetch(verb, path, query=query, body=body))

    async def _fetch(
        self,
        verb: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        seconds: float = CALL_SECONDS,
    ) -> bytes:
        """One call within its timeout; the bytes of its response.

        A write first waits for a token, which does not count towards the timeout.

        Raises:
            ResponseTooLargeError: the response has more than `RESPONSE_LIMIT` bytes.
            ApiError: the server rejected the call, or did not respond.
        """
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
        if not 200 <= code < 300:
            raise _refusal(f"{verb} {path}", code, headers, content)
        return content

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
            return response.status, response.headers, await _read(response, f"{verb} {path}")


async def _read(response: aiohttp.ClientResponse, call: str) -> bytes:
    """The body, unless it is too large. The connection of one that is too large is closed."""
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > RESPONSE_LIMIT:
            response.close()
            raise ResponseTooLargeError(f"{call}: the response has more than {RESPONSE_LIMIT} bytes")
    return bytes(content)


def _object_in(call: str, content: bytes) -> Manifest:
    """The object in a response.

    Raises:
        ApiError: it is not a JSON object.
    """
    try:
        return decode_any(content)
    except msgspec.DecodeError as error:
        raise ApiError(f"{call}: the response is not a JSON object: {content[:200]!r}") from error


def _refusal(call: str, code: int, headers: Mapping[str, str], content: bytes) -> ApiError:
    """The error for a response that refuses a call."""
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        document = None
    status: dict[str, Any] = document if isinstance(document, dict) else {}
    message = status.get("message") or content[:200].decode(errors="replace")
    causes = tuple(cause.get("reason", "") for cause in (status.get("details") or {}).get("causes", ()))
    return ApiError(
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
