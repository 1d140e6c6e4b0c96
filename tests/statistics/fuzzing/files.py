"""Files of rows: csv, JSON Lines, Parquet and Feather, as random bytes and as valid files with some bytes changed.

What is measured is reading all rows, a batch at a time. It is bounded by the file for text alone: an intact Parquet or
Feather file may hold any number of equal rows in a few bytes, see `perennate.tabular.columnar`; a corrupt one
only seems to. Building a profile and counting are checked too, but hold values, which a file can pack: they follow the
rows.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.feather as feather
import pyarrow.parquet as pq

from perennate.cli.drift.current.counting import count_files
from perennate.cli.drift.current.counting_spec import CountingSpec
from perennate.cli.drift.options import ColumnRoles
from perennate.cli.drift.reference import read_reference
from perennate.drift import evaluate_drift
from perennate.tabular.errors import UsageError
from perennate.tabular.opening import open_source
from perennate.tabular.reading import DataFile, RetypedError
from perennate.tabular.sources import LocalFile
from tests.statistics.fuzzing.documents import check, check_message, repeated
from tests.statistics.fuzzing.target import Target, file_of, touched

SLACK = {"csv": 2**24, "jsonl": 2**25, "parquet": 2**22, "feather": 2**22}
"""The maximum memory for a file of any size; for text it is a block of 1 MiB and the columns parsed from it."""


@cache
def table() -> pa.Table:
    """A few rows with columns of every type."""
    rows = 60
    return pa.table(
        {
            "age": np.arange(rows) / 4,
            "visits": np.arange(rows) % 7,
            "member": np.arange(rows) % 2 == 0,
            "plan": pa.array(["basic", "plus", None] * (rows // 3)),
            "code": pa.array(["a", "b", "c"] * (rows // 3)).dictionary_encode(),
            "since": pa.array(np.arange(rows), pa.timestamp("s")),
        }
    )


@cache
def valid(form: str) -> tuple[bytes, ...]:
    """Small valid files of a format, written with different settings."""
    return tuple(_written(form, way) for way in range(3))


def _written(form: str, way: int) -> bytes:
    sink = io.BytesIO()
    if form == "csv":
        arrow_csv.write_csv(table(), sink)
    elif form == "jsonl":
        sink.write("".join(f"{json.dumps(row, default=str)}\n" for row in table().to_pylist()).encode())
    elif form == "feather":
        feather.write_feather(table(), sink, compression=("uncompressed", "lz4", "zstd")[way], chunksize=25)
    else:
        compression, version = ("none", "snappy", "zstd")[way], ("1.0", "1.0", "2.0")[way]
        pq.write_table(table(), sink, row_group_size=25, compression=compression, data_page_version=version)
    return sink.getvalue()


def changes_of(form: str) -> Callable[[Any], bytes]:
    """A function that turns fuzzer data into an input: random bytes, or a valid file with some bytes changed."""

    def make(source: Any) -> bytes:
        """The input for one run."""
        way = source.ConsumeIntInRange(0, 15)
        if way == 0:
            content: bytes = source.ConsumeBytes(4096)
            return repeated(content, source) if source.ConsumeBool() else content
        whole = bytearray(valid(form)[source.ConsumeIntInRange(0, 2)])
        for _ in range(source.ConsumeIntInRange(1, 8)):
            at = source.ConsumeIntInRange(0, len(whole) - 1)
            piece = source.ConsumeBytes(source.ConsumeIntInRange(1, 4))
            whole[at : at + (len(piece) if source.ConsumeIntInRange(0, 3) else 0)] = piece
        return repeated(bytes(whole), source) if way == 1 else bytes(whole)

    return make


def reader_of(form: str) -> Callable[[bytes], Path | None]:
    """A function that reads all rows of a file like the command, in batches."""

    def read(content: bytes) -> Path | None:
        """The path of the file, or None if it was refused."""
        path = file_of(content, f"some.{form}")
        try:
            file = open_source(LocalFile(path))
            while not all_read(file):
                pass
        except UsageError as error:
            check_message(error)
            return None
        return path

    return read


def all_read(file: DataFile) -> bool:
    """Read all rows without keeping them; False if a type has changed and reading must restart."""
    try:
        for _ in file.batches(file.schema.names, lambda share: None):
            pass
    except RetypedError:
        return False
    return True


ROLES = (
    ColumnRoles({}, frozenset()),
    ColumnRoles({"since": "categorical"}, frozenset(), target="visits", prediction="age", task="regression"),
    ColumnRoles({}, frozenset(), target="code", prediction="plan"),
)
"""Roles without a model, for a regression, and for classes."""


def use(path: Path) -> None:
    """Check that the file can be compared with itself or is refused, for each set of roles."""
    for roles in ROLES:
        compare(path, roles)


def compare(path: Path, roles: ColumnRoles) -> None:
    """Compare a file with itself and check that all rows were counted."""
    try:
        file = open_source(LocalFile(path), texts=roles.texts)
        found = read_reference(file, roles, limit=None, tick=lambda share: None)
        spec = CountingSpec(found.profile, found.name, found.model, roles.target, roles.prediction, kinds=roles.kinds)
        current = count_files(
            [path], lambda path: open_source(LocalFile(path), texts=spec.texts), spec, lambda share: None
        )
    except UsageError as error:
        check_message(error)
        return
    assert found.rows == current.sample.rows
    check(evaluate_drift(current.sample, min_samples=100))


TARGETS: Mapping[str, Target] = {
    form: Target(changes_of(form), reader_of(form), use, SLACK[form], touched)
    for form in ("csv", "jsonl", "parquet", "feather")
}
