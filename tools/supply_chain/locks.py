"""Read the hash-locked requirements."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from pathlib import Path

IMAGE_ENVIRONMENT: Final = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}
"""Environment markers of an image. Packages for other systems stand in the locks too, but are not installed."""
HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """A locked package.

    Args:
        name: the canonical name.
        version: the version.
        hashes: the SHA-256 of each file that may be installed.
    """

    name: str
    version: str
    hashes: tuple[str, ...]


def installed(lock: Path) -> dict[str, Pin]:
    """The pins of a lock that an image installs, by name.

    Raises:
        ValueError: a line is not a pin.
    """
    pins: dict[str, Pin] = {}
    lines = lock.read_text().replace("\\\n", " ").splitlines()
    for line in lines:
        text, _, hashes = line.partition(" --hash")
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(dict(IMAGE_ENVIRONMENT)):
            (specifier,) = requirement.specifier
            name = canonicalize_name(requirement.name)
            pins[name] = Pin(name, specifier.version, tuple(HASH.findall(f" --hash{hashes}")))
    return pins
