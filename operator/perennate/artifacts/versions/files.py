"""Atomic creation and safe reading of files: no crash, symbolic link or concurrent writer leaves a partial file."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from perennate.artifacts.errors import ArtifactConflictError, ArtifactCorruptError, ArtifactError, ArtifactNotFoundError

PARTIAL_PREFIX: Final = ".partial-"
"""Prefix of files that are being written. Readers ignore them."""
FILE_MODE: Final = 0o444


def read_exact(path: Path, *, size: int | None = None, limit: int) -> bytes:
    """Read a regular file once.

    Args:
        path: the file. A symbolic link is refused, and so is a pipe, without waiting for a writer.
        size: expected size in bytes, if known.
        limit: maximum size in bytes.

    Raises:
        ArtifactNotFoundError: there is no such file.
        ArtifactCorruptError: it is not a regular file, or it has another size.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ArtifactNotFoundError(f"{path} does not exist") from None
    except OSError as error:
        problem = "is a symbolic link" if error.errno == errno.ELOOP else f"cannot be read: {error.strerror}"
        raise ArtifactCorruptError(f"{path} {problem}") from error
    try:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise ArtifactCorruptError(f"{path} is not a regular file")
        if info.st_size > limit or (size is not None and info.st_size != size):
            raise ArtifactCorruptError(f"{path} has {info.st_size} bytes; {_wanted(size, limit)}")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(info.st_size + 1)
    finally:
        os.close(descriptor)
    if len(content) != info.st_size:
        raise ArtifactCorruptError(f"{path} changed while it was read")
    return content


def create(path: Path, content: bytes, *, mode: int = FILE_MODE) -> bool:
    """Create a file atomically and durably. An existing file is never replaced.

    The bytes are written to a hidden file in the same folder and synced. A hard link then gives the file its name,
    which is atomic and fails if the name exists. So a file with its final name is always complete, even if the writer
    was killed, and only one of two concurrent writers creates it.

    Args:
        path: the file.
        content: its bytes.
        mode: its permissions.

    Returns:
        True if this call created the file, False if it existed with the same bytes.

    Raises:
        ArtifactConflictError: the file exists with other bytes.
        ArtifactError: the file cannot be written.
    """
    if _holds(path, content):
        return False
    partial = path.parent / f"{PARTIAL_PREFIX}{secrets.token_hex(8)}"
    try:
        _write(partial, content, mode)
        os.link(partial, path, follow_symlinks=False)
    except (FileExistsError, FileNotFoundError):
        # Another writer was first: its file exists, or it completed the version and removed our hidden file.
        if not _holds(path, content):
            raise ArtifactError(f"{path} could not be created: its folder was removed in the meantime") from None
        return False
    except OSError as error:
        raise ArtifactError(
            f"{path} cannot be written: {error.strerror}; the store needs free space, write access for our user and "
            "hard links"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return True


def sync_folder(folder: Path) -> None:
    """Sync a folder, so that the names in it are durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, *, below: Path) -> None:
    """Create a folder and its parents below an existing folder, durably."""
    missing = [parent for parent in (folder, *folder.parents) if parent.is_relative_to(below) and not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(f"{folder} cannot be created: {error.strerror}") from error
    for parent in missing:
        sync_folder(parent.parent)


def sweep(folder: Path) -> None:
    """Remove the hidden files of killed writers. Call it only when all files of the folder are published."""
    for leftover in folder.glob(f"{PARTIAL_PREFIX}*"):
        leftover.unlink(missing_ok=True)


def _write(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _holds(path: Path, content: bytes) -> bool:
    """Whether the file exists with these bytes."""
    try:
        found = read_exact(path, size=len(content), limit=len(content))
    except ArtifactNotFoundError:
        return False
    except ArtifactCorruptError as error:
        raise _conflict(path) from error
    if found != content:
        raise _conflict(path)
    return True


def _conflict(path: Path) -> ArtifactConflictError:
    return ArtifactConflictError(
        f"{path} differs from the version that is published; versions are never overwritten: "
        "remove the damaged folder and run again"
    )


def _wanted(size: int | None, limit: int) -> str:
    return f"its manifest says {size}" if size is not None and size <= limit else f"at most {limit} are read"
