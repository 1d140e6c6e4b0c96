"""Which interpreter and libraries this process runs on: the one look at the world in this package."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Final

LIBRARIES: Final = ("numpy", "pandas", "perennate", "pyarrow", "scikit-learn", "scipy", "skops")
"""Distributions whose version can change what is trained."""


def library_versions() -> dict[str, str]:
    """Versions of the interpreter and of the libraries that decide a result, by name."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}
