"""Privileges of this process, and ownership of files that are created under sudo."""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path

from tools.cluster.host.commands import succeeds
from tools.cluster.host.errors import ClusterError

#: The number of CAP_NET_ADMIN, see capabilities(7).
_NET_ADMIN = 12


def require() -> None:
    """Check that this process can create namespaces.

    Raises:
        ClusterError: it cannot.
    """
    if os.geteuid() != 0:
        raise ClusterError(
            "A local cluster needs root, or passwordless sudo, to create namespaces: "
            "run this as root, or start a Docker engine."
        )
    if not succeeds(["unshare", "--mount", "--pid", "--net", "--fork", "true"]):
        raise ClusterError(
            "Root cannot create namespaces on this machine (a container without CAP_SYS_ADMIN?): "
            "run this on a host, or start a Docker engine."
        )


def require_node() -> None:
    """Check that this process can create namespaces and network links, before a node is compiled.

    Raises:
        ClusterError: it cannot.
    """
    require()
    if not effective_capabilities() >> _NET_ADMIN & 1:
        raise ClusterError(
            "Root cannot create network links on this machine (a container without CAP_NET_ADMIN?): "
            "run this on a host, or start a Docker engine."
        )


def effective_capabilities() -> int:
    """Return the effective capabilities of this process as a bit mask."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1], 16) if found else 0


def caller_home() -> Path:
    """Return the home folder of the user who called sudo, or of the current user."""
    user = os.environ.get("SUDO_UID")
    if user and os.geteuid() == 0:
        return Path(pwd.getpwuid(int(user)).pw_dir)
    return Path.home()


def chown_to_caller(path: Path) -> None:
    """Change the owner of `path` to the user who called sudo, if any."""
    user, group = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID")
    if user and group and os.geteuid() == 0:
        os.chown(path, int(user), int(group))
