"""Debian packages that a local cluster or its images need. Only missing ones are installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from tools.cluster.host.commands import run
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import step

#: A program or file of a package -> the package.
NODE_PACKAGES = {
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
IMAGE_PACKAGES = {"buildah": "buildah", "mmdebstrap": "mmdebstrap"}


def missing(wanted: dict[str, str]) -> list[str]:
    """Return the packages of `wanted` whose program or file is missing, sorted and without duplicates."""
    return sorted(
        {
            package
            for sign, package in wanted.items()
            if not (Path(sign).exists() if sign.startswith("/") else shutil.which(sign))
        }
    )


def install_missing(wanted: dict[str, str]) -> None:
    """Install the missing packages of `wanted` with apt-get.

    Raises:
        ClusterError: apt-get is not available, or failed.
    """
    names = missing(wanted)
    if not names:
        return
    if shutil.which("apt-get") is None:
        raise ClusterError(
            f"This machine lacks {', '.join(names)} and has no apt-get: install them manually and try again."
        )
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installing Debian packages: {' '.join(names)}"):
        run(["apt-get", "update", "-qq"], what="update the Debian package lists", env=quiet)
        run(
            ["apt-get", "install", "-qq", "--yes", "--no-install-recommends", *names],
            what="install Debian packages",
            env=quiet,
        )
