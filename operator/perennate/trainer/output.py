"""Files in the output folder, which a user's container wrote: any content, any size, any kind of file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.artifacts import ArtifactCorruptError, ArtifactNotFoundError, read_exact
from perennate.trainer.errors import BadConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def read_output(path: Path, *, limit: int) -> bytes | None:
    """Read a file that the train stage left; None if there is none.

    A symbolic link is not followed: it may name a file that the publish stage can read, but the train stage cannot.

    Args:
        path: the file.
        limit: maximum size in bytes.

    Raises:
        BadConfigurationError: it is not a regular file, larger, or not readable.
    """
    try:
        return read_exact(path, limit=limit)
    except ArtifactNotFoundError:
        return None
    except ArtifactCorruptError as error:
        raise BadConfigurationError(
            f"spec.trainer: {error}; it must be a regular file of at most {limit} bytes, no link"
        ) from error
