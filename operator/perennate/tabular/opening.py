"""Opening data files by their format: the one entry point for training and for `perennate drift`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from perennate.tabular.columnar import FeatherRows, ParquetRows
from perennate.tabular.delimited import CsvRows
from perennate.tabular.errors import UsageError
from perennate.tabular.missing import MISSING_WORDS
from perennate.tabular.reading import DataFile
from perennate.tabular.sources import Source

EXTENSIONS = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
}


def open_source(
    source: Source,
    *,
    form: str | None = None,
    delimiter: str = ",",
    texts: Collection[str] = (),
    missing: Sequence[str] = MISSING_WORDS,
) -> DataFile:
    """A data file that is ready to be read.

    Args:
        source: where its bytes come from.
        form: csv, parquet or feather; None: by the extension.
        delimiter: the character between the fields of a csv file.
        texts: columns of a csv file to read as text, whatever their values look like.
        missing: words of a csv file that mean a missing value.

    Raises:
        UsageError: the extension is unknown, or the file cannot be read.
    """
    form = form or form_of(source)
    if form == "csv":
        return CsvRows(source, delimiter=delimiter, texts=texts, missing=missing)
    return ParquetRows(source) if form == "parquet" else FeatherRows(source)


def form_of(source: Source) -> str:
    """The format that the extension stands for.

    Raises:
        UsageError: the extension is unknown.
    """
    name = source.file_name.lower()
    for extension, form in EXTENSIONS.items():
        if name.endswith(extension):
            return form
    raise UsageError(f"{source.name}: the extension must be one of {', '.join(EXTENSIONS)}; otherwise give --format")
