"""A cache for expensive artifacts: a folder outside the checkout, with entries named by a hash of their inputs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host import privileges
from tools.cluster.host.progress import echo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def location() -> Path:
    """Return the path of the cache folder: `PERENNATE_CACHE`, or `perennate` in the user's cache folder.

    Under sudo, this is the folder of the user who called sudo, who must be able to read the kubeconfig in it.
    """
    named = os.environ.get("PERENNATE_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or privileges.caller_home() / ".cache")
    return Path(named) if named else base / "perennate"


def root() -> Path:
    """Return the cache folder; create it if it is missing."""
    folder = location()
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(exist_ok=True)
            privileges.chown_to_caller(path)
    return folder


def key(*parts: str | bytes | Path) -> str:
    """Return a hash of `parts`, 16 hex digits. Files and folders are hashed by name and content."""
    digest = hashlib.sha256()
    for part in parts:
        for name, content in _contents(part):
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:16]


def _contents(part: str | bytes | Path) -> Iterable[tuple[str, bytes]]:
    if isinstance(part, bytes):
        yield "", part
    elif isinstance(part, str):
        yield "", part.encode()
    elif part.is_dir():
        for path in sorted(path for path in part.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            yield str(path.relative_to(part)), path.read_bytes()
    else:
        yield part.name, part.read_bytes()


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock `name` of the cache; other processes wait.

    The lock is released when its holder ends, even if it is killed.
    """
    folder = root() / "locks"
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w") as handle:
        # If it is created under sudo, the user must still be able to lock it.
        for path in (folder, folder / name):
            privileges.chown_to_caller(path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            echo(f"waiting for another process that holds the lock {name}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def keep_newest(name: str, count: int) -> None:
    """Remove all but the `count` newest entries `name`. The entries must be single files."""
    entries = sorted(root().glob(f"{name}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in entries[count:]:
        path.unlink(missing_ok=True)


def entry(name: str, digest: str, build: Callable[[Path], None]) -> Path:
    """Return the cached file or folder `name` for the inputs `digest`; build it if it is missing.

    The build runs under a lock, in a temporary folder that is renamed at the end. So concurrent callers build once, and
    a build that is killed leaves no partial entry.

    Args:
        name: kind of the entry, unique in the cache.
        digest: result of `key` for all inputs of the build.
        build: called with a path that does not exist yet; creates a file or a folder there.
    """
    path = root() / f"{name}-{digest}"
    if path.exists():
        return path
    # The prefix avoids a deadlock with a caller that holds the lock of a cluster with the same name.
    with locked(f"entry-{name}"):
        if path.exists():
            return path
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root()))
        try:
            build(scratch / "made")
            (scratch / "made").rename(path)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return path
