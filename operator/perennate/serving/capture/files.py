"""Captured rows and labels as parquet files; `api.documents.captured_rows` describes the format."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from perennate.api.documents.captured_rows import (
    ID,
    LABEL,
    PREDICTION,
    SCHEMA,
    SCHEMA_KEY,
    TIME,
    FileKind,
    file_name,
    written_at,
)
from perennate.api.feature_types import FEATURE_TYPES
from perennate.artifacts.versions.files import PARTIAL_PREFIX, create

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perennate.api.documents.model_manifest import ModelManifest
    from perennate.serving.capture.rows import CapturedLabel, CapturedRows

_TYPES: Final = {name: pa.type_for_alias(row.arrow) for name, row in FEATURE_TYPES.items()}


class ParquetFolder:
    """The folder of captured files of one ModelDeployment; all of its pods write there.

    Files are written atomically and never changed.

    Args:
        folder: the folder.
        pod: name of this pod.
        manifest: of the version that this pod serves; gives the types of the columns.
        retention_seconds: age at which any pod deletes a file.
    """

    def __init__(self, folder: Path, *, pod: str, manifest: ModelManifest, retention_seconds: float) -> None:
        self._folder = folder
        self._pod = pod
        self._features = {feature.name: _TYPES[feature.type] for feature in manifest.features}
        self._answer = pa.float64() if manifest.task == "regression" else _TYPES[manifest.class_type]
        self._retention = retention_seconds

    def write_rows(self, rows: Sequence[CapturedRows], time: float) -> None:
        """Write one file with a column per feature, the id, the time and the prediction.

        Raises:
            ArtifactError: the folder cannot be written.
        """
        columns = {
            name: pa.array(np.concatenate([item.batch.columns[name] for item in rows]), type=kind, from_pandas=True)
            for name, kind in self._features.items()
        }
        columns[ID] = pa.array([text for item in rows for text in item.ids], type=pa.string())
        times = np.repeat([item.time for item in rows], [item.batch.rows for item in rows])
        columns[TIME] = pa.array(times, type=pa.float64())
        predictions = [value for item in rows for value in item.predictions.tolist()]
        columns[PREDICTION] = pa.array(predictions, type=self._answer)
        self._write("rows", columns, time)

    def write_labels(self, labels: Sequence[CapturedLabel], time: float) -> None:
        """Write one file with id, label and time.

        Raises:
            ArtifactError: the folder cannot be written.
        """
        columns = {
            ID: pa.array([item.id for item in labels], type=pa.string()),
            LABEL: pa.array([item.label for item in labels], type=self._answer),
            TIME: pa.array([item.time for item in labels], type=pa.float64()),
        }
        self._write("labels", columns, time)

    def delete_expired(self, time: float) -> None:
        """Delete files older than the retention, by the time in their name, and partial files of killed writers.

        Raises:
            OSError: the folder cannot be read, or a file cannot be deleted.
        """
        for path in list(self._folder.iterdir()):
            written = _written(path)
            if written is not None and written < time - self._retention:
                path.unlink(missing_ok=True)

    def _write(self, kind: FileKind, columns: dict[str, Any], time: float) -> None:
        buffer = pa.BufferOutputStream()
        pq.write_table(pa.table(columns, metadata={SCHEMA_KEY: SCHEMA}), buffer, compression="zstd")
        create(self._free_name(kind, time), buffer.getvalue().to_pybytes())

    def _free_name(self, kind: FileKind, time: float) -> Path:
        """An unused file name. A container that restarts within a millisecond gets a number behind it."""
        return next(
            path for number in count() if not (path := self._folder / file_name(kind, self._pod, time, number)).exists()
        )


def _written(path: Path) -> float | None:
    """When a captured file was written, in seconds since 1970; None for other files."""
    if path.name.startswith(PARTIAL_PREFIX):
        return path.stat().st_mtime
    return written_at(path.name)
