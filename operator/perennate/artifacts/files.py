"""Reading and creating single files so that no crash, link or second writer can leave a mixed one."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from perennate.artifacts.errors import ArtifactConflictError, ArtifactCorruptError, ArtifactError, ArtifactNotFoundError

PARTIAL_PREFIX: Final = ".partial-"
"""Files that are being written; no reader looks at them."""
FILE_MODE: Final = 0o444


def read_exact(path: Path, *, size: int | None = None, limit: int) -> bytes:
    """All bytes of a regular file, read once.

    Args:
        path: the file; a symbolic link is refused.
        size: bytes that it must have, if known.
        limit: bytes that it may have at most.

    Raises:
        ArtifactNotFoundError: there is no such file.
        ArtifactCorruptError: it is no regular file, or its size is not the wanted one.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ArtifactNotFoundError(f"{path} does not exist") from None
    except OSError as error:
        raise ArtifactCorruptError(f"{path} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise ArtifactCorruptError(f"{path} is no regular file")
        if info.st_size > limit or (size is not None and info.st_size != size):
            raise ArtifactCorruptError(f"{path} has {info.st_size} bytes; {_wanted(size, limit)}")
        content = file.read(info.st_size + 1)
    if len(content) != info.st_size:
        raise ArtifactCorruptError(f"{path} changed while it was read")
    return content


def create(path: Path, content: bytes) -> bool:
    """Create the file, whole and durable or not at all, and never over another one.

    The bytes go to a hidden file of the same folder and reach the disk first; linking it to its name is one atomic step
    that fails if the name is taken. So a file under its own name is always whole, whenever the writer was killed, and
    of two writers one wins.

    Returns:
        True if this call created it, False if the same bytes were there already.

    Raises:
        ArtifactConflictError: other bytes stand there.
        ArtifactError: the file system refused.
    """
    if _holds(path, content):
        return False
    partial = path.parent / f"{PARTIAL_PREFIX}{secrets.token_hex(8)}"
    try:
        _write(partial, content)
        os.link(partial, path, follow_symlinks=False)
    except (FileExistsError, FileNotFoundError):
        # Another writer was first: either its file stands there, or it finished the version and swept our hidden file
        # away.
        if not _holds(path, content):
            raise ArtifactError(f"{path} could not be created: its folder was removed meanwhile") from None
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
    """Make the names in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, *, below: Path) -> None:
    """Create the folder and its parents below a folder that exists, and make their names durable."""
    missing = [parent for parent in (folder, *folder.parents) if parent.is_relative_to(below) and not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(f"{folder} cannot be created: {error.strerror}") from error
    for parent in missing:
        sync_folder(parent.parent)


def sweep(folder: Path) -> None:
    """Remove what killed writers left. Right only when every file of the folder is published."""
    for leftover in folder.glob(f"{PARTIAL_PREFIX}*"):
        leftover.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _holds(path: Path, content: bytes) -> bool:
    """Whether the file is there with these bytes."""
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
        f"{path} holds other bytes than the version it belongs to; versions are never overwritten: "
        "remove the damaged folder and run again"
    )


def _wanted(size: int | None, limit: int) -> str:
    return f"its manifest says {size}" if size is not None and size <= limit else f"at most {limit} are read"
