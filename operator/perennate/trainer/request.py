"""Read the run request, and read and write the records of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.documents.canonical import canonical_json
from perennate.api.documents.document import InvalidDocumentError
from perennate.api.documents.run_record import RunRecord
from perennate.api.documents.run_request import RunRequest
from perennate.api.documents.training_record import TrainingRecord
from perennate.api.wellknown import ENV_RUN_REQUEST
from perennate.trainer.errors import BadConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_request(environment: Mapping[str, str]) -> RunRequest:
    """Read the run request from the environment.

    Raises:
        BadConfigurationError: it is missing or invalid.
    """
    try:
        return RunRequest.read(environment.get(ENV_RUN_REQUEST, ""))
    except InvalidDocumentError as error:
        raise BadConfigurationError(f"environment variable {ENV_RUN_REQUEST}: {error}") from error


def read_record(path: Path) -> RunRecord:
    """Read the record that the prepare stage wrote.

    Raises:
        BadConfigurationError: it is invalid.
    """
    try:
        return RunRecord.read(path.read_bytes())
    except InvalidDocumentError as error:
        raise BadConfigurationError(f"{path}: {error}; only the prepare stage may write it") from error


def read_training_record(path: Path) -> TrainingRecord:
    """Read what the prepare stage wrote for the train stage.

    Raises:
        BadConfigurationError: it is invalid.
    """
    try:
        return TrainingRecord.read(path.read_bytes())
    except InvalidDocumentError as error:
        raise BadConfigurationError(f"{path}: {error}; only the prepare stage may write it") from error


def write_record(path: Path, record: RunRecord | TrainingRecord) -> None:
    """Write a record in canonical form. The digest of the file of a run record is the fingerprint."""
    path.write_bytes(canonical_json(record.to_document()))
