"""perennate keeps machine-learning models alive on Kubernetes."""

from typing import Final

__version__: Final = "0.1.0"
"""Version of the package, of its images and of its chart."""
