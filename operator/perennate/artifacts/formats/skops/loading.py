"""From verified bytes to a fitted estimator, without running any code of the file."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any, Final

from perennate.artifacts.errors import ArtifactError, ArtifactIncompatibleError, ArtifactRefusedError
from perennate.artifacts.formats.skops import allowlist
from perennate.artifacts.formats.skops.archive import read_schema
from perennate.artifacts.formats.skops.schema_audit import audit
from perennate.artifacts.formats.skops.trees import check_trees
from perennate.artifacts.verify import VerifiedVersion, read_version

if TYPE_CHECKING:
    from pathlib import Path

    from perennate.api.documents.model_manifest import ModelManifest

LIBRARY: Final = "scikit-learn"
TRUSTED: Final = sorted(allowlist.INTERNALS | allowlist.FUNCTIONS | {allowlist.TREE, "numpy.dtype"})
"""What skops is told to trust besides its own list: fixed, never what a file asks for."""


@dataclass(frozen=True)
class LoadedVersion:
    """A version that is ready to predict."""

    manifest: ModelManifest
    estimator: Any
    """The fitted scikit-learn estimator or pipeline; takes a DataFrame with the manifest's features in order."""
    profile: bytes
    """Content of `profile.json`."""


def load_version(folder: Path, digest: str) -> LoadedVersion:
    """Verify the version in a folder and load its model from the bytes that were verified.

    Raises:
        ArtifactNotFoundError: nothing was published there.
        ArtifactCorruptError: its bytes are not those of the digest.
        ArtifactIncompatibleError: it was written by another minor version of scikit-learn.
        ArtifactRefusedError: the model file is not skops or holds types outside the fixed list.
    """
    return load_verified(read_version(folder, digest))


def load_verified(version: VerifiedVersion) -> LoadedVersion:
    """Load the model of a version that is in memory and checked already; raises as `load_version`."""
    check_compatible(version.manifest.environment, installed_version(LIBRARY))
    return LoadedVersion(manifest=version.manifest, estimator=load_estimator(version.model), profile=version.profile)


def load_estimator(content: bytes) -> Any:
    """The fitted estimator of a skops file, if every type in it is on the fixed list.

    Args:
        content: the file; check its digest first, where there is one.

    Raises:
        ArtifactRefusedError: it is no skops file, is damaged, or holds anything outside the fixed list.
    """
    try:
        audit(read_schema(content))
        estimator = _build(content)
        check_trees(estimator)
    except ArtifactError:
        raise
    # Whatever a hostile file makes the libraries raise (RecursionError, MemoryError, ...) has the one answer: refused.
    except Exception as error:
        raise ArtifactRefusedError(f"the model file cannot be loaded: {type(error).__name__}: {error}") from error
    if not hasattr(estimator, "predict") or not hasattr(estimator, "n_features_in_"):
        raise ArtifactRefusedError(
            f"the model file holds a {type(estimator).__name__}, not a fitted scikit-learn estimator that predicts"
        )
    return estimator


def check_compatible(environment: dict[str, str], installed: str) -> None:
    """Refuse a version that another minor version of scikit-learn wrote: it may load, and predict something else.

    Args:
        environment: versions by library, as the manifest has them.
        installed: version of scikit-learn in this process.

    Raises:
        ArtifactIncompatibleError: the minor versions differ, or the manifest names none.
    """
    written = environment.get(LIBRARY)
    if written is None or written.split(".")[:2] != installed.split(".")[:2]:
        raise ArtifactIncompatibleError(
            f"the version was trained with {LIBRARY} {written or '(not recorded)'} and {installed} is installed here; "
            "the first two numbers must agree: train again, or use the image that fits"
        )


def _build(content: bytes) -> Any:
    import skops.io  # noqa: PLC0415 - costs seconds, and a file that is refused needs none of it

    return skops.io.loads(content, trusted=TRUSTED)
