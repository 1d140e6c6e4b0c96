"""Opening data files by their format."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from perennate.tabular.columnar import FeatherRows, ParquetRows
from perennate.tabular.delimited import CsvRows
from perennate.tabular.errors import UsageError
from perennate.tabular.missing import MISSING_WORDS
from perennate.tabular.reading import DataFile

EXTENSIONS = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
}


def open_file(
    path: Path,
    *,
    form: str | None,
    delimiter: str,
    texts: Collection[str] = (),
    missing: Sequence[str] = MISSING_WORDS,
) -> DataFile:
    """A data file that is ready to be read.

    Args:
        path: where it is.
        form: csv, parquet or feather; None: by the extension.
        delimiter: character between the fields of a csv file.
        texts: columns of a csv file to read as text, whatever they hold.
        missing: words of a csv file that mean a missing value.

    Raises:
        UsageError: the extension is unknown, or the file cannot be read.
    """
    form = form or form_of(path)
    if form == "csv":
        return CsvRows(path, delimiter=delimiter, texts=texts, missing=missing)
    return ParquetRows(path) if form == "parquet" else FeatherRows(path)


def form_of(path: Path) -> str:
    """The format that the extension stands for.

    Raises:
        UsageError: for none.
    """
    name = path.name.lower()
    for extension, form in EXTENSIONS.items():
        if name.endswith(extension):
            return form
    raise UsageError(f"{path}: the extension must be one of {', '.join(EXTENSIONS)}; otherwise say --format")
