"""Exceptions of the model store.

ArtifactError
    ArtifactUnusableError           the version itself cannot be used; a retry does not help
        ArtifactNotFoundError       it is not in the store
        ArtifactCorruptError        files are missing or differ from the manifest
        ArtifactRefusedError        the model file fails the audit of its format
        ArtifactIncompatibleError   unknown model format, or another minor version of the library wrote it
    ArtifactConflictError           a different file exists at the path of a published file
"""

from __future__ import annotations


class ArtifactError(Exception):
    """A model version cannot be stored, read or loaded. The message says what is wrong, where, and what to do."""


class ArtifactUnusableError(ArtifactError):
    """The version itself cannot be used. A retry does not help; another version or repaired files do."""


class ArtifactNotFoundError(ArtifactUnusableError):
    """The version is not in the store."""


class ArtifactCorruptError(ArtifactUnusableError):
    """Files of the version are missing or differ from its manifest."""


class ArtifactRefusedError(ArtifactUnusableError):
    """The model file fails the audit of its format: it is damaged, or holds a type that is not allowed."""


class ArtifactIncompatibleError(ArtifactUnusableError):
    """This release does not know the model format, or another minor version of the library wrote the version."""


class ArtifactConflictError(ArtifactError):
    """A different file exists at the path of a published file."""
