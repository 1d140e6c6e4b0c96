"""Checks whether this machine can run a Docker engine for the tests, and installs the required packages."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tools.cluster.host import cache, debian, privileges
from tools.cluster.host.commands import succeeds
from tools.cluster.host.errors import ClusterError

#: A program or file of a package -> package. The client has its full path, because a newer client earlier
#: on PATH cannot build with BuildKit unless it has a plugin.
PACKAGES = {
    "/usr/bin/docker": "docker.io",
    "/usr/sbin/dockerd": "docker.io",
    "/usr/sbin/runc": "runc",
    "/usr/sbin/iptables": "iptables",
    "ip": "iproute2",
    "nft": "nftables",
    "setpriv": "util-linux",
    "mmdebstrap": "mmdebstrap",
}
CLIENT, DAEMON, RUNC = Path("/usr/bin/docker"), Path("/usr/sbin/dockerd"), Path("/usr/sbin/runc")
_DEFAULT_SOCKET = Path("/var/run/docker.sock")
_DEFAULT_BRIDGE = Path("/sys/class/net/docker0")
#: Bytes of images, build cache, and of one cluster with its volumes.
_NEEDED = 12 * 10**9


class EngineUnavailable(ClusterError):  # noqa: N818 - it names a state of the machine, not a mistake
    """This machine cannot run a Docker engine for the tests; the text says why in one sentence."""


def require_machine() -> None:
    """Make sure that this process may install and run an engine; nothing is changed.

    Raises:
        EngineUnavailable: it may not.
    """
    if sys.platform != "linux":
        raise EngineUnavailable(f"The Docker engine of the tests needs Linux, and this is {sys.platform}.")
    if os.geteuid() != 0:
        raise EngineUnavailable("The Docker engine of the tests needs root: run this as root.")
    if debian.missing(PACKAGES) and shutil.which("apt-get") is None:
        raise EngineUnavailable("Docker cannot be installed here: there is no apt-get.")
    try:
        privileges.require_node()
    except ClusterError as error:
        raise EngineUnavailable(f"The Docker engine of the tests cannot run here: {error}") from error


def require() -> None:
    """Make sure that an engine can be started now, and install the packages that it needs.

    Raises:
        EngineUnavailable: it cannot, for want of room or because another one runs.
    """
    _refuse_second_engine()
    _require_disk()
    try:
        debian.install_missing(PACKAGES)
    except ClusterError as error:
        raise EngineUnavailable(f"Docker cannot be installed here: {error}") from error
    # Where an init system runs, the package has started its service by now.
    _refuse_second_engine()


def _refuse_second_engine() -> None:
    if (
        _DEFAULT_SOCKET.exists()
        and CLIENT.exists()
        and succeeds([CLIENT, "-H", f"unix://{_DEFAULT_SOCKET}", "version"])
    ):
        raise EngineUnavailable(
            f"A Docker engine runs already (at {_DEFAULT_SOCKET}); the tests' own would share bridges and iptables "
            "rules with it: use that one, or stop it."
        )
    if _DEFAULT_BRIDGE.exists():
        raise EngineUnavailable(
            "The network link docker0 exists, so a Docker engine runs or ran here: stop it, or remove the link "
            "with `ip link delete docker0`."
        )


def _require_disk() -> None:
    found = os.statvfs(cache.root())
    free = found.f_bavail * found.f_frsize
    if free < _NEEDED:
        raise EngineUnavailable(
            f"The disk of {cache.root()} has {free / 1e9:.1f} GB free, and the Docker engine of the tests needs "
            f"{_NEEDED / 1e9:.0f} GB: free some, or set PERENNATE_CACHE to a folder on another disk."
        )
