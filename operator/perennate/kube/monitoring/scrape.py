"""Reads the documents of serving pods.

Pods are not trusted: a response is limited in time and size, and a failure is a value.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, Self

import aiohttp

from perennate.api.wellknown import OPERATIONS_PORT

TIMEOUT_SECONDS: Final = 10.0
"""Timeout of one request in seconds, from connecting to the last byte."""
SIZE_LIMIT: Final = 4 * 2**20
"""Maximum size of one response in bytes."""
_CHUNK: Final = 65_536


@dataclass(frozen=True)
class ScrapeFailure:
    """A pod did not return a document; the message says why, for people."""

    message: str


class MetricsSource(Protocol):
    """Reads documents of pods."""

    async def read(self, address: str, path: str) -> bytes | ScrapeFailure:
        """The document at `path` of the pod with this IP address."""
        ...


def is_pod_address(address: str) -> bool:
    """Whether an address can be a pod's: not loopback, link-local (the cloud's metadata), multicast, unspecified."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    # Unwrap an IPv4-mapped IPv6 address.
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified)


class HttpMetricsSource:
    """Scrapes over HTTP, by pod address and never by URL, without redirects, cookies or compression.

    Use as a context manager.
    """

    def __init__(
        self,
        *,
        port: int = OPERATIONS_PORT,
        timeout: float = TIMEOUT_SECONDS,
        size_limit: int = SIZE_LIMIT,
        allowed: Callable[[str], bool] = is_pod_address,
    ) -> None:
        self._port = port
        self._timeout = timeout
        self._size_limit = size_limit
        self._allowed = allowed
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the session; idle connections are kept for a few scrapes."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=64, limit_per_host=2, keepalive_timeout=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def read(self, address: str, path: str) -> bytes | ScrapeFailure:
        """The document at `path` of the pod with this IP address."""
        if not self._allowed(address):
            return ScrapeFailure(f"{address!r} is not an address that a pod can have")
        host = f"[{address}]" if ":" in address else address
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(f"http://{host}:{self._port}{path}")
        except TimeoutError:
            return ScrapeFailure(f"{path} did not respond within {self._timeout:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return ScrapeFailure(f"{path}: {type(error).__name__}: {error}"[:300])

    async def _exchange(self, url: str) -> bytes | ScrapeFailure:
        if self._session is None:
            raise RuntimeError("the source is closed; use it as a context manager")
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with self._session.get(url, headers=headers, allow_redirects=False) as response:
            path = response.url.path
            if response.status != 200:
                return ScrapeFailure(f"{path} returned status {response.status}; expected 200")
            if response.headers.get("Content-Encoding", "identity") != "identity":
                return ScrapeFailure(f"{path} is compressed although identity encoding was requested")
            if response.content_type != "application/json":
                return ScrapeFailure(f"{path} is {response.content_type}; expected application/json")
            return await self._bounded(response, path)

    async def _bounded(self, response: aiohttp.ClientResponse, path: str) -> bytes | ScrapeFailure:
        content = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            content += chunk
            if len(content) > self._size_limit:
                response.close()
                return ScrapeFailure(f"{path} is larger than {self._size_limit} bytes")
        return bytes(content)
