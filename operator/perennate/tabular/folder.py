"""Folders of Parquet or Feather files, partitioned or not, as Spark, Hive and pandas write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import unquote

import pyarrow as pa

from perennate.tabular.errors import EmptyFileError, UsageError
from perennate.tabular.inference import widest
from perennate.tabular.reading import DataFile, Ticker, check_names, part_of, readable
from perennate.tabular.sources import Source

_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DATE = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
"""The value of a partition of rows without a value."""


class FolderRows:
    """The rows of all files of a folder.

    The columns are those of all files, and the partitions in the path (`year=2025/part-0.parquet` has the column
    `year`). A column that a file lacks is a missing value there.

    Args:
        name: name of the folder.
        sources: its files, in order.
        open_part: opens one of them. A folder may hold more files than a process can hold open.

    Raises:
        UsageError: the folder has no file, or the files do not fit together.
    """

    typed = True
    decimal = "."
    remarks: tuple[str, ...] = ()

    def __init__(self, name: str, sources: Sequence[Source], open_part: Callable[[Source], DataFile]) -> None:
        if not sources:
            raise EmptyFileError(f"{name}: the folder holds no data file")
        self.name = name
        self._open_part = open_part
        self._partitions = {source: partition_of(source.name.removeprefix(name)) for source in sources}
        self.rows, schema = 0, pa.schema([])
        index: dict[str, None] = {}
        for source in sources:
            file = open_part(source)
            schema = _with_fields(schema, file)
            index |= dict.fromkeys(file.index)
            self.rows += file.rows or 0
        self.index = tuple(index)
        self.schema = _with_partitions(schema, list(self._partitions.values()))
        check_names(name, self.schema.names)

    def batches(self, columns: Sequence[str], tick: Ticker) -> Iterator[pa.RecordBatch]:
        """The rows of one file after the other."""
        for index, (source, partition) in enumerate(self._partitions.items()):
            file = self._open_part(source)
            own = [name for name in columns if name in {*file.schema.names, *file.index} and name not in partition]
            # A file without any of the columns is read for its number of rows.
            for batch in file.batches(own or file.schema.names[:1], part_of(tick, index, len(self._partitions))):
                with readable(source.name, "a part of the folder"):
                    arrays = [self._column(batch, name, partition, own=name in own) for name in columns]
                yield pa.RecordBatch.from_arrays(arrays, names=list(columns))

    def _column(self, batch: pa.RecordBatch, name: str, partition: Mapping[str, str], *, own: bool) -> pa.Array:
        """A column of a batch, of its partition, or of missing values, in the type that it has in the folder."""
        if name in self.index:
            return batch.column(name)
        kind = self.schema.field(name).type
        if not own:
            return pa.repeat(pa.scalar(partition.get(name), pa.string()), batch.num_rows).cast(kind)
        column = batch.column(name)
        return column if column.type == kind else column.cast(kind, safe=False)


def partition_of(path: str) -> dict[str, str]:
    """The columns and values in the folders of a path, without missing values: `year=2025/part-0.parquet`."""
    pairs = [folder.partition("=") for folder in path.split("/")[:-1] if "=" in folder]
    return {unquote(name): unquote(value) for name, _, value in pairs if value != NULL_PARTITION}


def _with_fields(schema: pa.Schema, file: DataFile) -> pa.Schema:
    """The schema with the columns of one more file; whole numbers in one and fractions in another are fractions.

    Raises:
        UsageError: a column has types that do not fit together.
    """
    optional = pa.schema([field.with_nullable(True) for field in file.schema])
    try:
        return pa.unify_schemas([schema, optional], promote_options="permissive")
    except pa.ArrowException as error:
        known = dict(zip(schema.names, schema.types, strict=True))
        name = next((field.name for field in optional if known.get(field.name, field.type) != field.type), "")
        raise UsageError(
            f"{file.name}: column {name!r} holds {optional.field(name).type}, in other files {known[name]}"
        ) from error


def _with_partitions(schema: pa.Schema, partitions: Sequence[Mapping[str, str]]) -> pa.Schema:
    """The columns with those of the partitions, whose types follow from their values."""
    for name in dict.fromkeys(name for partition in partitions for name in partition):
        kind: pa.DataType = pa.null()
        for value in {partition[name] for partition in partitions if name in partition}:
            kind = widest({name: kind}, {name: _type_of(value)})[name]
        place = schema.get_field_index(name)
        schema = schema.append(pa.field(name, kind)) if place < 0 else schema.set(place, pa.field(name, kind))
    return schema


def _type_of(value: str) -> pa.DataType:
    """The type of the value of a partition: a whole number without leading zeros, a date, or text."""
    if _WHOLE_NUMBER.fullmatch(value):
        return pa.int64()
    return pa.date32() if _DATE.fullmatch(value) else pa.string()
