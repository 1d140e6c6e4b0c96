"""What can go wrong with a model version, as one small tree of exceptions.

ArtifactError
    VersionUnfitError               the version itself cannot be used, whoever tries
        ArtifactNotFoundError       it is not in the store
        ArtifactCorruptError        bytes are missing or are not what the manifest promises
        ArtifactRefusedError        the model file could run code or holds types outside the fixed list
        ArtifactIncompatibleError   written by another scikit-learn than the one installed here
    ArtifactConflictError           another file stands where a published one belongs
"""

from __future__ import annotations


class ArtifactError(Exception):
    """A model version cannot be stored, read or loaded; the text says what, where, allowed, got and what to do."""


class VersionUnfitError(ArtifactError):
    """The version itself cannot be used, whoever tries: another one, or its own bytes put right, would help."""


class ArtifactNotFoundError(VersionUnfitError):
    """The version is not in the store."""


class ArtifactCorruptError(VersionUnfitError):
    """Bytes of the version are missing or differ from what its manifest promises."""


class ArtifactRefusedError(VersionUnfitError):
    """The model file is not a skops file, or holds something outside the fixed list of types."""


class ArtifactIncompatibleError(VersionUnfitError):
    """The version was written by a scikit-learn whose minor version differs from the installed one."""


class ArtifactConflictError(ArtifactError):
    """A different file stands in the store where a published one belongs."""
