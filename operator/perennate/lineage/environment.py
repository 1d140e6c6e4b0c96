"""Versions of the interpreter and the libraries that trained a model."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from perennate import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

LIBRARIES: Final = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops")
"""Distributions whose version can change the trained model."""
UNKNOWN: Final = "unknown"
"""The version of what neither the container nor its model file states."""


def library_versions() -> dict[str, str]:
    """Versions of the interpreter and of the libraries that can change the trained model, in this process."""
    libraries = {name: version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "perennate": __version__, **libraries}


def training_environment(stated: Mapping[str, str], written: Mapping[str, str]) -> dict[str, str]:
    """The environment of the container that trained a model. Nothing is taken from this process.

    Args:
        stated: versions by name that the container stated; empty if it stated none.
        written: versions by name that the model file holds.
    """
    return {**dict.fromkeys(("python", *LIBRARIES), UNKNOWN), **stated, **written}
