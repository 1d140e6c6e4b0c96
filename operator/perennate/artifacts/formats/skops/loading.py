"""From the bytes of a skops file to a fitted estimator, without running code from the file."""

from __future__ import annotations

from typing import Any, Final

from perennate.artifacts.errors import ArtifactError, ArtifactRefusedError
from perennate.artifacts.formats.skops import allowlist
from perennate.artifacts.formats.skops.archive import read_schema
from perennate.artifacts.formats.skops.schema_audit import audit
from perennate.artifacts.formats.skops.soundness import check_sound
from perennate.artifacts.formats.skops.writer import LIBRARY, check_version, written_versions

TRUSTED: Final = sorted(
    allowlist.INTERNALS
    | allowlist.FUNCTIONS
    | allowlist.PARTIALS
    | allowlist.SPARSE
    | allowlist.TYPES
    | {allowlist.TREE, "numpy.dtype", "functools.partial"}
)
"""Types that skops trusts besides its own list. The list is fixed: a file cannot ask for more."""


def audit_file(content: bytes) -> None:
    """Check the archive of a skops file and the types that its schema names. Builds no object.

    Raises:
        ArtifactRefusedError: it is not a skops file, is damaged, or names a type outside the fixed list.
        ArtifactIncompatibleError: another minor version of scikit-learn wrote it.
    """
    audit_schema(read_schema(content))


def audit_schema(schema: dict[str, Any]) -> None:
    """Check the version and the types of a schema. Raises the errors of `audit_file`."""
    check_version(schema)
    audit(schema)


def load_estimator(content: bytes) -> Any:
    """The fitted estimator of a skops file, if every type in it is on the fixed list.

    Args:
        content: the file; check its digest first if there is one.

    Raises:
        ArtifactRefusedError: the audit fails, the file cannot be loaded, or it holds no fitted estimator.
        ArtifactIncompatibleError: another minor version of scikit-learn wrote it.
    """
    try:
        schema = read_schema(content)
        audit_schema(schema)
        estimator = _build(content)
        check_sound(estimator)
    except ArtifactError:
        raise
    # A hostile file can make the libraries raise anything (RecursionError, MemoryError, ...).
    except Exception as error:
        # Without its message, which may repeat values that the model holds.
        raise ArtifactRefusedError(f"the model file cannot be loaded: {type(error).__name__}") from error
    if not hasattr(estimator, "predict") or not hasattr(estimator, "n_features_in_"):
        raise ArtifactRefusedError(
            f"the model file holds a {type(estimator).__name__}, not a fitted scikit-learn estimator that predicts"
        )
    if LIBRARY not in written_versions(schema):
        raise ArtifactRefusedError(
            f"the model file does not state the version of {LIBRARY} that wrote it; save the fitted estimator with "
            "skops.io.dump"
        )
    return estimator


def _build(content: bytes) -> Any:
    import skops.io  # noqa: PLC0415 - takes seconds, and a refused file does not need it

    return skops.io.loads(content, trusted=TRUSTED)
