"""Which interpreter and libraries this process runs on: the one look at the world in this package."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Final

from perennate import __version__

LIBRARIES: Final = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops")
"""Distributions whose version can change what is trained."""


def library_versions() -> dict[str, str]:
    """Versions of the interpreter and of the libraries that decide a result, by name."""
    libraries = {name: version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "perennate": __version__, **libraries}
