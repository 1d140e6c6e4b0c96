"""The contract of captured files: folder, file names and format version."""

from __future__ import annotations

import fnmatch
from typing import get_args

import pytest

from perennate.api.documents.captured_rows import (
    SCHEMA,
    SCHEMA_KEY,
    FileKind,
    captured_path,
    check_schema,
    file_name,
    file_pattern,
    written_at,
)
from perennate.api.documents.document import InvalidDocumentError

TIME = 1_790_000_000.123


def test_the_folder_of_captured_files() -> None:
    """The folder is that of the first release, so that its files are still found."""
    assert captured_path("weather", "rain", "rain-service") == "weather/rain/captured/rain-service"


@pytest.mark.parametrize("kind", get_args(FileKind))
@pytest.mark.parametrize("number", [0, 3])
def test_a_file_name_contains_kind_and_time(kind: FileKind, number: int) -> None:
    name = file_name(kind, "rain-5f7-x2", TIME, number)
    assert written_at(name) == pytest.approx(TIME)
    assert [known for known in get_args(FileKind) if fnmatch.fnmatch(name, file_pattern(known))] == [kind]


@pytest.mark.parametrize("name", ["rows.parquet", "rows-pod-12.parquet", "other-pod-1790000000123.parquet", "a.csv"])
def test_other_file_names_have_no_time(name: str) -> None:
    """A file without a time in its name is not deleted by retention."""
    assert written_at(name) is None


@pytest.mark.parametrize("metadata", [None, {}, {b"other": b"x"}, {SCHEMA_KEY: SCHEMA.encode()}])
def test_files_of_this_version_are_read(metadata: dict[bytes, bytes] | None) -> None:
    """A file without a version is accepted, because the first release wrote none."""
    check_schema(metadata)


def test_a_file_of_a_newer_version_is_rejected() -> None:
    with pytest.raises(InvalidDocumentError) as error:
        check_schema({SCHEMA_KEY: b"perennate.dev/captured/v2"})
    assert str(error.value) == (
        "perennate.schema: must be 'perennate.dev/captured/v1', got 'perennate.dev/captured/v2'; "
        "read it with the release that wrote it"
    )
