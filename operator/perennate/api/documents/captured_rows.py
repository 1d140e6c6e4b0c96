"""Captured traffic: the parquet files that serving pods write and the prepare stage reads.

Two kinds of files lie in one folder, `<namespace>/<model>/captured/<model deployment>` of the store:

- `rows-<pod>-<ms>.parquet`: one column for each feature, then `perennate.id`, `perennate.time` (of the prediction) and
  `perennate.prediction`;
- `labels-<pod>-<ms>.parquet`: `perennate.id`, `perennate.label` and `perennate.time` (of the label's arrival).

`<ms>` is the time of writing in milliseconds since 1970, with `-<number>` behind it if the name is taken. A label
belongs to the row with the same id. The types of columns are the Arrow types of `api.feature_types`.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from perennate.api.documents.document import InvalidDocumentError
from perennate.text import shortened

SCHEMA: Final = "perennate.dev/captured/v1"
"""Format and version, in the metadata of each file. Files of the first release have none and are read as version 1."""
SCHEMA_KEY: Final = b"perennate.schema"
"""Key in the metadata of a file's Arrow schema."""

FOLDER: Final = "captured"
OWN_PREFIX: Final = "perennate."
"""Start of the names of columns that are not features."""
ID: Final = f"{OWN_PREFIX}id"
TIME: Final = f"{OWN_PREFIX}time"
"""Seconds since 1970."""
PREDICTION: Final = f"{OWN_PREFIX}prediction"
LABEL: Final = f"{OWN_PREFIX}label"

FileKind = Literal["rows", "labels"]

_NAME: Final = re.compile(r"(?:rows|labels)-.+-([0-9]{13})(?:-[0-9]+)?\.parquet")


def captured_path(namespace: str, model: str, model_deployment: str) -> str:
    """Folder of the captured files of a ModelDeployment, relative to the root of the store."""
    return f"{namespace}/{model}/{FOLDER}/{model_deployment}"


def file_name(kind: FileKind, pod: str, time: float, number: int = 0) -> str:
    """Name of a file.

    Args:
        kind: what it holds.
        pod: name of the pod that writes it.
        time: of writing, in seconds since 1970.
        number: distinguishes files of the same millisecond; 0 for the first.
    """
    suffix = f"-{number}" if number else ""
    return f"{kind}-{pod}-{round(time * 1000)}{suffix}.parquet"


def file_pattern(kind: FileKind) -> str:
    """Glob pattern of the files of a kind."""
    return f"{kind}-*.parquet"


def written_at(name: str) -> float | None:
    """When a file was written, in seconds since 1970; None if the name is not that of a captured file."""
    match = _NAME.fullmatch(name)
    return None if match is None else int(match[1]) / 1000


def check_schema(metadata: dict[bytes, bytes] | None) -> None:
    """Check the format of a file.

    Args:
        metadata: of the file's Arrow schema.

    Raises:
        InvalidDocumentError: it has another format or version.
    """
    found = (metadata or {}).get(SCHEMA_KEY, SCHEMA.encode())
    if found != SCHEMA.encode():
        shown = shortened(repr(found.decode(errors="replace")))
        raise InvalidDocumentError(
            f"{SCHEMA_KEY.decode()}: must be {SCHEMA!r}, got {shown}; read it with the release that wrote it"
        )
