"""Check for free disk space. On a full disk, etcd and containerd fail with misleading errors."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tools.cluster.host.errors import ClusterError

if TYPE_CHECKING:
    from pathlib import Path

_REMEDY = "free some space, or set PERENNATE_STATE to a folder on another disk."
#: Bytes that an idle cluster with our images needs.
_NEEDED = 4 * 10**9
_LEAST, _LEAST_FILES = 100 * 10**6, 100


def require_free_space(folder: Path) -> None:
    """Check that the disk of `folder` has enough free space for a cluster.

    Raises:
        ClusterError: it has not.
    """
    free = _free(folder)
    if free < _NEEDED:
        raise ClusterError(
            f"The disk of {folder} has {free / 1e9:.1f} GB free, but a cluster needs {_NEEDED / 1e9:.0f} GB: {_REMEDY}"
        )


def require_not_full(folder: Path) -> None:
    """Check that the disk of `folder` did not fill up during a start.

    Raises:
        ClusterError: no more files can be written.
    """
    found = os.statvfs(folder)
    # A file system without a fixed number of inodes reports 0.
    if _free(folder) < _LEAST or (found.f_files and found.f_favail < _LEAST_FILES):
        raise ClusterError(f"The disk of {folder} filled up while the cluster started: {_REMEDY}")


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
