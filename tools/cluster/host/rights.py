"""Whether this process may make a node, and how files are handed back to the user who called sudo."""

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
    """Make sure that this process may make namespaces.

    Raises:
        ClusterError: it may not.
    """
    if os.geteuid() != 0:
        raise ClusterError(
            "A local cluster needs root, or sudo that asks for no password, to make namespaces: "
            "run this as root, or start a Docker engine."
        )
    if not succeeds(["unshare", "--mount", "--pid", "--net", "--fork", "true"]):
        raise ClusterError(
            "This machine lets not even root make namespaces (a container without CAP_SYS_ADMIN?): "
            "run this on a host, or start a Docker engine."
        )


def require_node() -> None:
    """Make sure that this process may make namespaces and network links, before anything is compiled for a node.

    Raises:
        ClusterError: it may not.
    """
    require()
    if not effective_capabilities() >> _NET_ADMIN & 1:
        raise ClusterError(
            "This machine lets not even root make network links (a container without CAP_NET_ADMIN?): "
            "run this on a host, or start a Docker engine."
        )


def effective_capabilities() -> int:
    """Return what this process may do, one bit for each capability."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1], 16) if found else 0


def home_of_caller() -> Path:
    """Return the home folder of the user who called sudo, or of this process's user."""
    user = os.environ.get("SUDO_UID")
    if user and os.geteuid() == 0:
        return Path(pwd.getpwuid(int(user)).pw_dir)
    return Path.home()


def give_to_caller(path: Path) -> None:
    """Make the user who called sudo, if any, the owner of `path`."""
    user, group = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID")
    if user and group and os.geteuid() == 0:
        os.chown(path, int(user), int(group))
