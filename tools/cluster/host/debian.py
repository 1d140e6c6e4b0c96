"""The Debian packages that a local cluster or its images need: only the missing ones are installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from tools.cluster.host.commands import run
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import step

#: Program, or file, that shows that a package is there -> package.
NODE = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
    "ip": "iproute2",
    "nft": "nftables",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "openssl": "openssl",
}
IMAGES = {"buildah": "buildah", "mmdebstrap": "mmdebstrap"}


def missing(wanted: dict[str, str]) -> list[str]:
    """Return the packages of `wanted` whose program or file is not there, each once, sorted."""
    return sorted(
        {
            package
            for sign, package in wanted.items()
            if not (Path(sign).exists() if sign.startswith("/") else shutil.which(sign))
        }
    )


def ensure(wanted: dict[str, str]) -> None:
    """Install what is missing of `wanted` with apt-get.

    Raises:
        ClusterError: there is no apt-get here, or it failed.
    """
    names = missing(wanted)
    if not names:
        return
    if shutil.which("apt-get") is None:
        raise ClusterError(
            f"This machine lacks {', '.join(names)} and has no apt-get: install them by hand and try again."
        )
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installing Debian packages: {' '.join(names)}"):
        run(["apt-get", "update", "-qq"], what="read the list of Debian packages", env=quiet)
        run(
            ["apt-get", "install", "-qq", "--yes", "--no-install-recommends", *names],
            what="install Debian packages",
            env=quiet,
        )
