"""Decode JSON documents from untrusted sources.

Decoding into a `msgspec.Struct` creates no object that its types do not declare, so an unknown field costs no memory.
Callers bound the size of the content.
"""

from __future__ import annotations

import codecs
from typing import TypeVar

import msgspec
import numpy as np

from perennate.drift.data.errors import DocumentError
from perennate.text import shortened

_Document = TypeVar("_Document")
_BLOCK = 2**18
"""Bytes that are examined at once, to keep the temporary arrays small."""


class _Digest(msgspec.Struct, rename="camel"):
    """The only field of a document that is decoded before its digest is known to be right."""

    profile_digest: str | None = None


class _Schema(msgspec.Struct):
    """The only field of a document that is decoded to learn its format and version."""

    schema: str | None = None


def decode(content: bytes, kind: type[_Document], error: type[DocumentError]) -> _Document:
    """Decode JSON bytes in UTF-8, with or without a byte order mark, into a type.

    Args:
        content: the bytes.
        kind: a `msgspec.Struct`, or `object` for any JSON value.
        error: exception class to raise.

    Raises:
        DocumentError: the bytes are not JSON, or a value does not have its declared type.
    """
    try:
        return msgspec.json.decode(content.removeprefix(codecs.BOM_UTF8), type=kind)
    except msgspec.ValidationError as reason:
        raise error(_message(reason)) from reason
    except (msgspec.DecodeError, RecursionError) as reason:
        raise error(f"document: must be JSON: {reason}") from reason


def check_containers(content: bytes, most: int, error: type[DocumentError]) -> None:
    """Check the number of objects and lists in JSON before it is decoded into `object`.

    Each takes 56 bytes or more for two bytes of JSON, and a million of them stop the process for a second.

    Args:
        content: the bytes, which need not be JSON.
        most: maximum number of objects and lists.
        error: exception class to raise.

    Raises:
        DocumentError: there are more.
    """
    # Without escaped backslashes and quotes, every quote begins or ends a string.
    characters = np.frombuffer(content.replace(rb"\\", b"  ").replace(rb"\"", b"  "), dtype=np.uint8)
    found, in_text = 0, np.uint8(0)
    for start in range(0, characters.size, _BLOCK):
        block = characters[start : start + _BLOCK]
        quotes = np.cumsum(block == ord('"'), dtype=np.uint8) + in_text
        opened = (block == ord("[")) | (block == ord("{"))
        found += int(np.count_nonzero(opened & (quotes % 2 == 0)))
        in_text = quotes[-1] % 2
    if found > most:
        raise error(f"document: must have at most {most} objects and lists, got {found}")


def convert(document: object, kind: type[_Document], error: type[DocumentError]) -> _Document:
    """Convert JSON that is already parsed into a type, with the checks of `decode`."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as reason:
        raise error(_message(reason)) from reason


def decode_digest(content: bytes, error: type[DocumentError]) -> str | None:
    """Decode the field `profileDigest` alone and skip all others; None if there is none.

    Raises:
        DocumentError: the bytes are not a JSON object, or the field is not a string.
    """
    return decode(content, _Digest, error).profile_digest


def check_schema(document: object, schema: str, error: type[DocumentError]) -> None:
    """Check format and version of a document alone, because its other fields depend on them.

    Args:
        document: JSON bytes, or JSON that is already parsed.
        schema: what the field `schema` must be.
        error: exception class to raise.

    Raises:
        DocumentError: the document is not a JSON object, or `schema` has another value.
    """
    read = decode if isinstance(document, bytes) else convert
    found = read(document, _Schema, error).schema  # type: ignore[arg-type]  # each takes what it is given here
    if found != schema:
        raise error(f"schema: must be {schema}, got {shortened(repr(found))}; read it with the release that wrote it")


def _message(reason: msgspec.ValidationError) -> str:
    """`rows: expected int, got str` from msgspec's "Expected `int`, got `str` - at `$.rows`"."""
    text, _, path = str(reason).replace("`", "").rpartition(" - at $")
    text, path = (text, path.removeprefix(".")) if text else (path, "")
    return f"{shortened(path or 'document')}: {text[:1].lower()}{shortened(text[1:])}"
