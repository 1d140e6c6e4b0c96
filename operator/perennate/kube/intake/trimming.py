"""What is kept of an object: the fields that the operator reads, and of a large custom resource only its status.

A tenant chooses the size of an object. So text is decoded into the fields below, and nothing else of it is allocated.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

import msgspec
import orjson

from perennate.api import wellknown
from perennate.api.meta import Manifest
from perennate.kube.intake.kept_fields import DECODERS, HEAD, RAW, RESOURCE
from perennate.reconcilers.wording import truncate

SIZE_LIMIT: Final = 256 * 1024
"""Bytes of a custom resource as JSON, with its metadata, above which it is not reconciled."""
BRACKETS_LIMIT: Final = 16 * 1024
"""Lists and maps in the spec of a custom resource. Each takes sixty bytes of memory for three of text."""
SPEC_LIMIT: Final = 64 * 1024
"""Bytes of the spec of a child that is kept. None that the operator applies has as much."""
OVERSIZE: Final = "oversize"
"""Field that replaces the spec of a custom resource that is too large: why, as text for people."""

_PREFIXES: Final = (f"{wellknown.GROUP}/", "app.kubernetes.io/")
"""Of labels and annotations that are read."""
_ENTRIES_LIMIT: Final = 32
_VALUE_LIMIT: Final = 1024


class Page(msgspec.Struct):
    """A page of a list. The items are not decoded yet."""

    items: list[msgspec.Raw]
    metadata: dict[str, Any]

    @property
    def token(self) -> str:
        """What continues the list; empty on the last page."""
        return str(self.metadata.get("continue") or "")


_PAGE: Final = msgspec.json.Decoder(Page)


class Trimmed(dict[str, Any]):
    """An object that is trimmed already."""


def trim(manifest: Manifest) -> Manifest:
    """The object with the fields that are kept. Trimming twice is trimming once."""
    if isinstance(manifest, Trimmed):
        return manifest
    return decode(orjson.dumps(manifest), manifest["apiVersion"], manifest["kind"])


def decode(content: bytes | msgspec.Raw, api_version: str, kind: str) -> Manifest:
    """Decode an object and trim it. One of another kind than we work with is decoded whole.

    Args:
        content: the object as JSON; items of a list lack `apiVersion` and `kind`.
        api_version: group and version of the object.
        kind: its kind.

    Raises:
        msgspec.DecodeError: it is not such an object.
    """
    identity = {"apiVersion": api_version, "kind": kind}
    if api_version == wellknown.API_VERSION and kind != wellknown.DRIFT_WINDOW_KIND:
        found = _decode_resource(content)
    elif (api_version, kind) in DECODERS:
        found = _decode_child(content, DECODERS[api_version, kind])
    else:
        return {**identity, **msgspec.json.decode(content)}
    return Trimmed({**found, **identity, "metadata": _trimmed_metadata(found["metadata"])})


def decode_any(content: bytes) -> Manifest:
    """Decode any document of the API server, and trim it if it is an object of a kind that we work with.

    Raises:
        msgspec.DecodeError: it is not a JSON object.
    """
    head = HEAD.decode(content)
    return decode(content, head.get("apiVersion", ""), head.get("kind", ""))


def decode_page(content: bytes) -> Page:
    """Split a page of a list.

    Raises:
        msgspec.DecodeError: it is not a list.
    """
    return _PAGE.decode(content)


def without_spec(manifest: Manifest, why: str) -> Manifest:
    """What is kept of an object that does not fit into memory: metadata and status; `why` is for people."""
    if manifest["apiVersion"] == wellknown.API_VERSION:
        return {name: value for name, value in manifest.items() if name != "spec"} | {OVERSIZE: why}
    return {**manifest, "spec": {}} if "spec" in manifest else manifest


def _decode_resource(content: bytes | msgspec.Raw) -> Manifest:
    found: Manifest = dict(RESOURCE.decode(content))
    spec = found.pop("spec", None)
    size = memoryview(content).nbytes
    if size > SIZE_LIMIT:
        found[OVERSIZE] = _why_too_large(content, size)
    elif spec is not None and (brackets := _brackets(spec)) > BRACKETS_LIMIT:
        found[OVERSIZE] = f"spec has {brackets} lists and maps; at most {BRACKETS_LIMIT} are reconciled"
    elif spec is not None and OVERSIZE not in found:
        found["spec"] = msgspec.json.decode(spec)
    return found


def _brackets(content: msgspec.Raw) -> int:
    """Number of opening brackets, those in texts included."""
    text = bytes(content)
    return text.count(b"[") + text.count(b"{")


def _decode_child(content: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[Any]) -> Manifest:
    found: Manifest = decoder.decode(content)
    spec = found.get("spec")
    if isinstance(spec, msgspec.Raw):
        found["spec"] = msgspec.json.decode(spec) if memoryview(spec).nbytes <= SPEC_LIMIT else {}
    return found


def _why_too_large(content: bytes | msgspec.Raw, size: int) -> str:
    """The size, and the part of the object that takes most of it."""
    whole = RAW.decode(content)
    metadata = RAW.decode(whole.pop("metadata"))
    parts = whole | {f"metadata.{name}": value for name, value in metadata.items()}
    sizes = {name: memoryview(value).nbytes for name, value in parts.items()}
    largest = max(sizes, key=lambda name: sizes[name])
    return (
        f"the object has {_kibibytes(size)} KiB as JSON, {_kibibytes(sizes[largest])} KiB of it in {largest}; at most "
        f"{_kibibytes(SIZE_LIMIT)} KiB are reconciled: make {largest} smaller"
    )


def _kibibytes(size: int) -> int:
    return -(-size // 1024)


def _trimmed_metadata(metadata: Manifest) -> Manifest:
    """The metadata without empty fields, foreign labels and annotations, and owners that are no controllers."""
    found = {name: value for name, value in metadata.items() if value}
    kept: Manifest = {name: _trimmed_entries(found.pop(name, None) or {}) for name in ("labels", "annotations")}
    kept["ownerReferences"] = [owner for owner in found.pop("ownerReferences", None) or () if owner.get("controller")]
    return found | {name: value for name, value in kept.items() if value}


def _trimmed_entries(entries: dict[str, str]) -> dict[str, str]:
    ours = ((name, truncate(value, _VALUE_LIMIT)) for name, value in entries.items() if name.startswith(_PREFIXES))
    return dict(islice(ours, _ENTRIES_LIMIT))
