"""What is refused, and why."""


class DocumentError(ValueError):
    """A document that does not follow its schema."""


class ProfileError(DocumentError):
    """A profile that cannot be built or read; the message names the field."""


class CountsError(DocumentError):
    """A counts document that does not follow its schema or its profile; the message names the field."""


class WindowError(DocumentError):
    """The state of a window cannot be used; start a new one."""


class LabelError(ValueError):
    """A label that cannot be booked; the message says why."""
