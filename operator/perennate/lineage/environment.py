"""Versions of the interpreter and the libraries of this process."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Final

from perennate import __version__

LIBRARIES: Final = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops")
"""Distributions whose version can change the trained model."""


def library_versions() -> dict[str, str]:
    """Versions of the interpreter and of the libraries that can change the trained model, by name."""
    libraries = {name: version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "perennate": __version__, **libraries}
