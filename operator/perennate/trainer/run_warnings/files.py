"""Warnings pass from stage to stage in a file, because the model card holds those of all stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from perennate.api.documents.canonical import canonical_json
from perennate.api.documents.document import Document, InvalidDocumentError
from perennate.api.documents.stage_result import RunWarning, Warnings
from perennate.trainer.errors import BadConfigurationError
from perennate.trainer.output import read_output

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


WARNINGS_LIMIT: Final = 65_536
"""Maximum size of the file, in bytes."""


class WarningsFile(Document):
    """The warnings of one stage."""

    schema_: Literal["perennate.dev/warnings/v1"] = Field(default="perennate.dev/warnings/v1", alias="schema")
    warnings: Warnings = ()


def write_warnings(path: Path, warnings: Sequence[RunWarning]) -> None:
    """Write the warnings of a stage."""
    path.write_bytes(canonical_json(WarningsFile(warnings=tuple(warnings)).to_document()))


def read_warnings(path: Path) -> tuple[RunWarning, ...]:
    """The warnings of a stage; none if it wrote no file.

    Raises:
        BadConfigurationError: the file is not what a stage writes.
    """
    content = read_output(path, limit=WARNINGS_LIMIT)
    if content is None:
        return ()
    try:
        return WarningsFile.read(content).warnings
    except InvalidDocumentError as error:
        raise BadConfigurationError(f"{path}: {error}; only the stages may write it") from error
