"""Is there room for a cluster? A disk that is full makes etcd and containerd fail in ways of their own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tools.cluster.host.errors import ClusterError

if TYPE_CHECKING:
    from pathlib import Path

_REMEDY = "free some, or set PERENNATE_STATE to a folder on another disk."
#: Bytes that an idle cluster with the project's images needs.
_NEEDED = 4 * 10**9
_LEAST, _LEAST_FILES = 100 * 10**6, 100


def require(folder: Path) -> None:
    """Refuse to start a cluster in `folder` without the room that it needs.

    Raises:
        ClusterError: there is less.
    """
    free = _free(folder)
    if free < _NEEDED:
        raise ClusterError(
            f"The disk of {folder} has {free / 1e9:.1f} GB free, and a cluster needs {_NEEDED / 1e9:.0f} GB: {_REMEDY}"
        )


def refuse_full(folder: Path) -> None:
    """Give up a start for which there is no room any more.

    Raises:
        ClusterError: no more files can be written.
    """
    found = os.statvfs(folder)
    # A file system without a table of files cannot run out of them, and says 0.
    if _free(folder) < _LEAST or (found.f_files and found.f_favail < _LEAST_FILES):
        raise ClusterError(f"The disk of {folder} filled up while the cluster started: {_REMEDY}")


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
