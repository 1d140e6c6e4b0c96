"""What is dear to make is made once: a folder outside the checkout, entries named by a hash of what went in."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host import rights
from tools.cluster.host.progress import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def place() -> Path:
    """Return where the cache folder is to be: `PERENNATE_CACHE`, else `perennate` in the user's cache folder.

    Under sudo it is that of the user who called sudo, who must be able to read the kubeconfig in it.
    """
    named = os.environ.get("PERENNATE_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or rights.home_of_caller() / ".cache")
    return Path(named) if named else base / "perennate"


def root() -> Path:
    """Return the cache folder; made if missing."""
    folder = place()
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(exist_ok=True)
            rights.give_to_caller(path)
    return folder


def key(*parts: str | bytes | Path) -> str:
    """Return 16 hex digits that stand for `parts`: texts as they are, files and folders by name and content."""
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
    """Hold the cache's lock `name`; others who want it wait. The lock is gone when its holder is, however it ended."""
    folder = root() / "locks"
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w") as handle:
        # Made under sudo, it must still be the user's to take.
        for path in (folder, folder / name):
            rights.give_to_caller(path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that works on the same ({name})")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def keep_newest(name: str, count: int) -> None:
    """Remove all but the `count` newest entries called `name`; only for entries that are single files."""
    entries = sorted(root().glob(f"{name}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in entries[count:]:
        path.unlink(missing_ok=True)


def entry(name: str, digest: str, build: Callable[[Path], None]) -> Path:
    """Return the cached file or folder `name` for the inputs `digest`; build it if it is not there.

    It is built under a temporary name and renamed when complete, under a lock: two builders build once, and a builder
    that was killed leaves no half entry that looks whole.

    Args:
        name: what it is, unique in the cache.
        digest: from `key`, over everything that decides the content.
        build: called with a path that does not exist; makes a file or a folder there.
    """
    path = root() / f"{name}-{digest}"
    if path.exists():
        return path
    # A lock of its own kind: who holds the lock of a cluster of this name may build what it needs.
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
