"""What can go wrong with a model version, as one small tree of exceptions.

ArtifactError
    VersionUnfitError               the version itself cannot be used, whoever tries
        ArtifactNotFoundError       it is not in the store
        ArtifactCorruptError        bytes are missing or are not what the manifest promises
        ArtifactRefusedError        the model file fails the audit of its format
        ArtifactIncompatibleError   unknown model format, or another minor version of the library wrote it
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
    """The model file fails the audit of its format: it is damaged, or holds a type that is not allowed."""


class ArtifactIncompatibleError(VersionUnfitError):
    """This release does not know the model format, or another minor version of the library wrote the version."""


class ArtifactConflictError(ArtifactError):
    """A different file stands in the store where a published one belongs."""
