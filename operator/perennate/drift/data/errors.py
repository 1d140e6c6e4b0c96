"""Exceptions for invalid documents and labels."""


class DocumentError(ValueError):
    """A document does not conform to its schema."""


class ProfileError(DocumentError):
    """A profile cannot be built or read; the message names the field."""


class CountsError(DocumentError):
    """A counts document does not conform to its schema or its profile; the message names the field."""


class WindowError(DocumentError):
    """The state of a window cannot be used; start a new one."""


class LabelError(ValueError):
    """A label cannot be counted; the message says why."""
