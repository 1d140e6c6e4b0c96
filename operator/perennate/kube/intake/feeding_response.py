"""Responses of list and watch requests that hand over their objects trimmed, and of which only the identities remain.

kopf decodes each line of a watch and each page of a list whole, and keeps the objects until its handlers have run. So
the objects are taken out as they arrive, one at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import aiohttp
import msgspec
import orjson
from aiohttp.connector import Connection

from perennate.api.meta import Manifest
from perennate.kube.intake.trimming import decode, decode_any, decode_page

Feed = Callable[[str, Manifest], None]
"""Takes the type of an event (`ADDED`, `MODIFIED`, `DELETED`) and its object, trimmed."""

LINE_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of one event of a watch. The API server stores no object of a tenth of it."""
_WITH_OBJECT: Final = frozenset({"ADDED", "MODIFIED", "DELETED"})
_IDENTITY: Final = ("name", "namespace", "uid", "resourceVersion")


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _List(msgspec.Struct, rename="camel"):
    kind: str = ""
    api_version: str = ""
    items: msgspec.Raw = msgspec.Raw(b"")


_EVENT: Final = msgspec.json.Decoder(_Event)
_LIST: Final = msgspec.json.Decoder(_List)


def feed_line(line: bytes, feed: Feed) -> bytes:
    """Hand over the object of an event; return the event with the identity of the object.

    Bookmarks and errors are small and stay as they are.

    Raises:
        msgspec.DecodeError: it is not an event.
    """
    event = _EVENT.decode(line)
    if event.type not in _WITH_OBJECT:
        return line
    manifest = decode_any(bytes(event.object))
    feed(event.type, manifest)
    return orjson.dumps({"type": event.type, "object": _identity(manifest)})


def feed_page(content: bytes, feed: Feed) -> dict[str, Any]:
    """Hand over the items of a list; return the page with their identities. Any other document is returned whole.

    Raises:
        msgspec.DecodeError: it is not a JSON object.
    """
    named = _LIST.decode(content)
    if not memoryview(named.items).nbytes:
        # A document of the discovery, such as an APIResourceList.
        return decode_any(content)
    page, kind, items = decode_page(content), named.kind.removesuffix("List"), []
    for item in page.items:
        manifest = decode(item, named.api_version, kind)
        feed("ADDED", manifest)
        items.append(_identity(manifest))
    return {"kind": named.kind, "apiVersion": named.api_version, "metadata": page.metadata, "items": items}


def _identity(manifest: Manifest) -> Manifest:
    metadata = {name: manifest["metadata"].get(name) for name in _IDENTITY}
    return {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"], "metadata": metadata}


class _FedLines:
    """A stream of lines that are handed over. Everything but the reading is that of the stream below."""

    def __init__(self, below: aiohttp.StreamReader, feed: Feed) -> None:
        self._below = below
        self._feed = feed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._below, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """The remaining lines, with their ends, as they arrive."""
        rest = bytearray()
        async for chunk in self._below.iter_chunked(size):
            rest += chunk
            while (end := rest.find(b"\n")) >= 0:
                line = bytes(rest[:end])
                del rest[: end + 1]
                if line:
                    yield feed_line(line, self._feed) + b"\n"
            if len(rest) > LINE_LIMIT:
                raise aiohttp.ClientPayloadError(f"an event of a watch has more than {LINE_LIMIT} bytes")
        if rest:
            yield feed_line(bytes(rest), self._feed) + b"\n"


def feeding_response(feed: Feed) -> type[aiohttp.ClientResponse]:
    """The class of responses for a session whose lists and watches are handed over to `feed`."""

    class FeedingResponse(aiohttp.ClientResponse):
        """A response without the content of its objects."""

        async def start(self, connection: Connection) -> aiohttp.ClientResponse:
            """Read the headers; the lines of a watch are handed over from then on."""
            await super().start(connection)
            if self.status == 200 and self.url.query.get("watch") == "true":
                self.content = _FedLines(self.content, feed)  # type: ignore[assignment]  # it has every attribute
            return self

        async def json(self, **options: Any) -> Any:
            """The document; the items of a list are handed over."""
            return feed_page(await self.read(), feed) if self.status == 200 else await super().json(**options)

    return FeedingResponse
