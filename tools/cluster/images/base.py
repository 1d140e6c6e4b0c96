"""A substitute for python:3.11-slim-bookworm without an image registry, made from Debian packages and pip."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from tools.cluster.host import cache, debian
from tools.cluster.host.commands import run
from tools.cluster.host.progress import step

_SUITE = "bookworm"
_BASE_COMMAND = (
    "mmdebstrap",
    "--variant=minbase",
    "--include=python3,ca-certificates",
    # Pods do not need documentation.
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    _SUITE,
)
_PIP = "pip==26.3"


def key() -> str:
    """Return the hash of the inputs of the base image."""
    return cache.key(*_BASE_COMMAND, _PIP)


def folder() -> Path:
    """Return the folder with `rootfs.tar` and the package `pip`."""
    return cache.entry("base", key(), _fetch)


def _fetch(target: Path) -> None:
    debian.install_missing(debian.IMAGE_PACKAGES)
    target.mkdir()
    with step(f"building a base image from Debian packages ({_SUITE}, about a minute)"):
        run([*_BASE_COMMAND, target / "rootfs.tar"], what="build a base image from Debian packages")
    run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", target, _PIP], what="download pip")
    wheel = next(target.glob("*.whl"))
    with zipfile.ZipFile(wheel) as content:
        content.extractall(target / "pip")
    wheel.unlink()
