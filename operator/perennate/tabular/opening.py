"""Opening data files by their format: the one entry point for training and for `perennate drift`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from perennate.tabular.columnar import FeatherRows, MarkedRows, ParquetRows
from perennate.tabular.delimited import CsvRows
from perennate.tabular.dialect import CsvOptions
from perennate.tabular.errors import UsageError
from perennate.tabular.folder import FolderRows
from perennate.tabular.json_lines import JsonRows
from perennate.tabular.missing import MISSING_WORDS
from perennate.tabular.reading import DataFile
from perennate.tabular.sources import COMPRESSED, Source, without_compression

EXTENSIONS: Final = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
TEXT_FORMS: Final = ("csv", "jsonl")
"""Formats that can be compressed as a whole."""


def open_source(
    source: Source,
    *,
    form: str | None = None,
    delimiter: str | None = None,
    decimal: str = ".",
    texts: Collection[str] = (),
    missing: Sequence[str] = MISSING_WORDS,
    marked: Collection[str] = (),
) -> DataFile:
    """A data file, or a folder of Parquet or Feather files, that is ready to be read.

    Args:
        source: where its bytes come from.
        form: csv, jsonl, parquet or feather; None: by the extension.
        delimiter: the character between the fields of a csv file; None: detected.
        decimal: the character before the decimals of numbers in text.
        texts: columns of a csv file to read as text, whatever their values look like.
        missing: words of a csv file that mean a missing value.
        marked: values of other files that mean a missing value, as text.

    Raises:
        UsageError: the extension is unknown, or the file cannot be read.
    """
    parts = source.parts()
    if parts is not None:
        return _marked(FolderRows(source.name, parts, lambda part: _open_part(part, form)), decimal, marked)
    form = form or form_of(source)
    if form == "csv":
        default = "\t" if without_compression(source.file_name).endswith(".tsv") else ","
        options = CsvOptions(delimiter, default, decimal, missing, texts)
        return CsvRows(source, options if default != decimal else replace(options, default=";"))
    return _marked(JsonRows(source) if form == "jsonl" else _open_typed(source, form), decimal, marked)


def form_of(source: Source) -> str:
    """The format that the extension stands for.

    Raises:
        UsageError: the extension is unknown, or the file is compressed and cannot be.
    """
    name = without_compression(source.file_name)
    form = next((form for extension, form in EXTENSIONS.items() if name.endswith(extension)), None)
    if form is None:
        raise UsageError(
            f"{source.name}: the extension must be one of {', '.join(EXTENSIONS)} (csv and jsonl also with "
            f"{', '.join(COMPRESSED)})",
            option="give --format",
        )
    if form not in TEXT_FORMS and name != source.file_name.lower():
        raise UsageError(f"{source.name}: {form} is compressed inside the file; unpack the file first")
    return form


def _open_part(source: Source, form: str | None) -> DataFile:
    """A file of a folder.

    Raises:
        UsageError: it is a file of text, whose types are known only after reading.
    """
    form = form or form_of(source)
    if form in TEXT_FORMS:
        raise UsageError(
            f"{source.name}: is {form}; a folder may hold Parquet or Feather files: name files of {form} one by one"
        )
    return _open_typed(source, form)


def _open_typed(source: Source, form: str) -> DataFile:
    """A file whose columns have types."""
    return ParquetRows(source) if form == "parquet" else FeatherRows(source)


def _marked(file: DataFile, decimal: str, marked: Collection[str]) -> DataFile:
    """The file with the marked values as missing values."""
    return MarkedRows(file, decimal, marked) if marked or decimal != "." else file
