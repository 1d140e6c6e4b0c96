"""Whether this process may make a node, and how files are handed back to the user who called sudo."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.cluster.commands import succeeds
from tests.cluster.errors import ClusterError

if TYPE_CHECKING:
    from pathlib import Path


def require() -> None:
    """Make sure that this process may make namespaces and network links.

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


def give_to_caller(path: Path) -> None:
    """Make the user who called sudo, if any, the owner of `path`."""
    user, group = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID")
    if user and group:
        os.chown(path, int(user), int(group))
