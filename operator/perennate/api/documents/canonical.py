"""The canonical byte form of JSON documents, and digests of it."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

SHORT_LENGTH: Final = 12
"""Digits of a digest in names, labels and messages."""


def canonical_json(document: Any) -> bytes:
    """The canonical byte form of a JSON value: sorted keys, no spaces, UTF-8.

    Raises:
        ValueError: the document holds NaN or an infinity.
    """
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def environment_json(document: Any) -> str:
    """A JSON value as the value of an environment variable of a container: the canonical form without `$`.

    The kubelet replaces `$(NAME)` and `$$` in values of environment variables, also inside of JSON.
    """
    # In JSON, `$` can only be part of a string, where the escape means the same.
    return canonical_json(document).decode().replace("$", "\\u0024")


def digest_bytes(content: bytes) -> str:
    """`sha256:` and the hexadecimal SHA-256 of the bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def digest_document(document: Any) -> str:
    """Digest of the canonical form of a JSON value."""
    return digest_bytes(canonical_json(document))


def short_version(digest: str) -> str:
    """The first 12 digits of a digest, without `sha256:`."""
    return digest.removeprefix("sha256:")[:SHORT_LENGTH]
