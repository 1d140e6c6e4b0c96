"""From `spec.data.train` to a table: where the file is, and what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from perennate.artifacts import ArtifactError, ModelStore
from perennate.artifacts.places import inside
from perennate.trainer.errors import DataRefusedError

if TYPE_CHECKING:
    from perennate.api.documents.run_spec import TrainData
    from perennate.trainer.places import Places

FIELD: Final = "spec.data.train.uri"


def read_source(source: TrainData, places: Places, namespace: str) -> pa.Table:
    """The whole file as a table.

    Args:
        source: where the file is and what format it has.
        places: roots of data and store.
        namespace: whose part of the store `file://` means.

    Raises:
        DataRefusedError: the file is missing, empty, not in the format, or the path leads out of its root.
    """
    path = locate(source.uri, places, namespace)
    _check_file(path, source.uri)
    table = _read_csv(path, source.uri) if source.format == "csv" else _read_parquet(path, source.uri)
    _check_table(table, source.uri)
    return table


def locate(uri: str, places: Places, namespace: str) -> Path:
    """The file that a uri names: in the mounted claim (`pvc://<claim>/<path>`) or in the store (`file:///<path>`).

    Raises:
        DataRefusedError: the path leads out of its root.
    """
    try:
        if uri.startswith("pvc://"):
            return inside(places.data, uri.removeprefix("pvc://").partition("/")[2])
        return ModelStore(places.store, namespace).file(uri.removeprefix("file:///"))
    except ArtifactError as error:
        raise DataRefusedError(f"{FIELD}: {uri}: {error}") from error


def _check_file(path: Path, uri: str) -> None:
    if not path.exists():
        there = sorted(entry.name for entry in path.parent.iterdir())[:5] if path.parent.is_dir() else []
        beside = f"its folder has {', '.join(there)}" if there else "its folder is missing or empty"
        raise DataRefusedError(f"{FIELD}: {uri} does not exist; {beside}: correct the path, or put the file there")
    if not path.is_file():
        raise DataRefusedError(f"{FIELD}: {uri} is a folder; name one file")
    if path.stat().st_size == 0:
        raise DataRefusedError(f"{FIELD}: {uri} is empty (0 bytes); write rows with a header line into it")


def _read_csv(path: Path, uri: str) -> pa.Table:
    from pyarrow import csv  # noqa: PLC0415 - only who reads CSV pays

    from perennate.tabular.delimited import convert_options  # noqa: PLC0415

    try:
        with path.open("rb") as file:
            if b"\0" in file.read(4096):
                raise DataRefusedError(
                    f"{FIELD}: {uri} is no CSV: it holds binary data; is it parquet (spec.data.train.format)?"
                )
        table = csv.read_csv(
            path, convert_options=convert_options(), parse_options=csv.ParseOptions(newlines_in_values=True)
        )
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise DataRefusedError(
            f"{FIELD}: {uri} is no CSV: {_sentence(error)}; wanted is one header line and as many values in every row"
        ) from error
    except PermissionError as error:
        raise DataRefusedError(f"{FIELD}: {uri} may not be read by our user: make it readable for all") from error
    binary = [name for name, kind in zip(table.column_names, table.schema.types, strict=True) if kind == pa.binary()]
    if binary:
        raise DataRefusedError(
            f"{FIELD}: {uri}: column {binary[0]!r} holds bytes that are no UTF-8; save the file as UTF-8"
        )
    return table


def _read_parquet(path: Path, uri: str) -> pa.Table:
    from pyarrow import parquet  # noqa: PLC0415 - only who reads parquet pays

    try:
        return parquet.ParquetFile(path, memory_map=False).read()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataRefusedError(
            f"{FIELD}: {uri} is no parquet file: {_sentence(error)}; is it CSV (spec.data.train.format)?"
        ) from error


def _check_table(table: pa.Table, uri: str) -> None:
    if table.num_rows == 0:
        raise DataRefusedError(f"{FIELD}: {uri} has a header but no row; write rows into it")
    names = table.column_names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataRefusedError(f"{FIELD}: {uri} has the column {twice[0]!r} more than once; rename one of them")


def _sentence(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
