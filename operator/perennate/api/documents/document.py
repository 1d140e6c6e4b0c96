"""The base of all documents: a format with a version of its own, read strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError
from pydantic_core import from_json

from perennate.api.meta import Model
from perennate.text import shortened

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class InvalidDocumentError(ValueError):
    """A document is not JSON, has another format or version, or a field with a wrong value."""


class Document(Model):
    """Base of documents. The field `schema` of each holds the name of its format and the version of the format.

    Documents outlive releases and versions of the API: a model version keeps its manifest, and its digest, as long as
    it is stored. So a field keeps its name, its meaning and its default. A new field is optional and absent by default,
    because every field that is written counts in the digest. Any other change is a new version of the format.
    """

    @classmethod
    def read(cls, content: bytes | str) -> Self:
        """Read a document.

        Raises:
            InvalidDocumentError: it is not JSON, has another format or version, or breaks a rule of the format; the
                text names the field, what is allowed and what was found.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            cls._check_format(content)
            raise InvalidDocumentError(_describe(error.errors(include_url=False)[0])) from error

    @classmethod
    def format_version(cls) -> str:
        """Name and version of the format, such as `perennate.dev/run/v1`."""
        return str(cls.model_fields["schema_"].default)

    @classmethod
    def _check_format(cls, content: bytes | str) -> None:
        """Refuse another format or version. Its other fields may differ, so that this is the error to report."""
        try:
            document = from_json(content)
        except ValueError:
            return
        found = document.get("schema", cls.format_version()) if isinstance(document, dict) else cls.format_version()
        if found != cls.format_version():
            raise InvalidDocumentError(
                f"schema: must be {cls.format_version()!r}, got {shortened(repr(found))}; "
                "read it with the release that wrote it"
            )


def _describe(problem: ErrorDetails) -> str:
    """Where the problem is, what it is, and the value if it is short."""
    place = ".".join(str(part) for part in problem["loc"]) or "document"
    return f"{place}: {problem['msg']}{_got(problem['input'])}"


def _got(value: Any) -> str:
    return f", got {shortened(repr(value))}" if isinstance(value, str | int | float) and value != "" else ""
