"""A model may not replace what its class defines."""

from __future__ import annotations

from typing import Any

from perennate.artifacts.errors import ArtifactRefusedError
from perennate.artifacts.formats.skops.soundness.parts import parts


def check_attributes(estimator: object) -> None:
    """Refuse an object that has an attribute in place of a method or a constant of its class.

    Such an attribute could leave out the checks that scikit-learn makes before it calls compiled code.

    Raises:
        ArtifactRefusedError: it has one.
    """
    for _, part in parts(estimator):
        if type(part).__module__.startswith("sklearn."):
            replaced = sorted(name for name in getattr(part, "__dict__", ()) if _replaces(type(part), name))
            if replaced:
                raise ArtifactRefusedError(
                    f"a {type(part).__name__} in the model file replaces {replaced[0][:100]!r} of its class; the file "
                    "is damaged or crafted"
                )


def _replaces(kind: Any, name: str) -> bool:
    if not hasattr(kind, name):
        return False
    # Some classes define the default of a parameter.
    is_parameter = hasattr(kind, "_get_param_names") and name in kind._get_param_names()  # noqa: SLF001
    return callable(getattr(kind, name)) or not is_parameter
