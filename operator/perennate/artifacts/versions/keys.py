"""The key of a model line, which signs the ids of its predictions. It is created once and never changed."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, Final

from perennate.artifacts.errors import ArtifactConflictError, ArtifactCorruptError, ArtifactError, ArtifactNotFoundError
from perennate.artifacts.versions.files import create, make_folder, read_exact

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES: Final = 32
KEY_MODE: Final = 0o400
"""All pods have the same user; nobody else may read a key."""


def line_key(path: Path, *, below: Path) -> bytes:
    """The key in a file, which is created if it does not exist. Of two pods that create it, both get the same key.

    Args:
        path: the file.
        below: an existing folder above it.

    Raises:
        ArtifactError: the file is damaged, or cannot be created.
    """
    try:
        return read_key(path)
    except ArtifactNotFoundError:
        make_folder(path.parent, below=below)
    # A conflict means that another pod was faster.
    with contextlib.suppress(ArtifactConflictError):
        create(path, secrets.token_bytes(KEY_BYTES), mode=KEY_MODE)
    return read_key(path)


def read_key(path: Path) -> bytes:
    """The key in a file.

    Raises:
        ArtifactNotFoundError: there is no such file.
        ArtifactError: it is damaged.
    """
    try:
        return read_exact(path, size=KEY_BYTES, limit=KEY_BYTES)
    except ArtifactCorruptError as error:
        raise ArtifactError(
            f"{error}: this is no key of {KEY_BYTES} bytes; remove it, and the next pod creates another one, but then "
            "no label is accepted for predictions that were made before"
        ) from error


def copy_key(key: bytes, path: Path) -> None:
    """Write a key into a file of the pod; a file of an earlier attempt is replaced.

    Raises:
        ArtifactError: the file cannot be written.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be written: {error.strerror}") from error
    create(path, key, mode=KEY_MODE)
