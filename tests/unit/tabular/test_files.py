"""Data files: types, rows in batches, and error messages for unreadable files."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from perennate.tabular.errors import UsageError
from perennate.tabular.missing import MISSING_WORDS
from perennate.tabular.opening import EXTENSIONS, form_of, open_source
from perennate.tabular.reading import DataFile, RetypedError
from perennate.tabular.sources import LocalFile
from tests.support.pods.drift_command import FORMATS, make_table, write


def opened(
    path: Path, *, form: str | None = None, delimiter: str = ",", texts: frozenset[str] = frozenset()
) -> DataFile:
    """Open a file with the defaults of the command."""
    return open_source(LocalFile(path), form=form, delimiter=delimiter, texts=texts)


def read(file: DataFile, columns: list[str] | None = None) -> pa.Table:
    """All rows, read again whenever a column type has changed."""
    names = columns or file.schema.names
    while True:
        try:
            return pa.Table.from_batches(list(file.batches(names, lambda share: None)), schema=None)
        except RetypedError:
            continue


def csv(tmp_path: Path, text: str) -> Path:
    """Write a CSV file."""
    path = tmp_path / "some.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("form", [*FORMATS, "csv.gz"])
def test_every_format_gives_the_same_rows(tmp_path: Path, form: str) -> None:
    table = make_table(1200)
    file = opened(write(table, tmp_path / f"some.{form}"))
    assert file.schema.names == table.column_names
    assert file.rows in {1200, None}
    found = read(file)
    assert found.num_rows == 1200
    np.testing.assert_allclose(found["age"].to_numpy(), table["age"].to_numpy())
    assert found["plan"].to_pylist() == table["plan"].to_pylist()


@pytest.mark.parametrize("form", FORMATS)
def test_only_the_requested_columns_are_read(tmp_path: Path, form: str) -> None:
    """The columns have the requested order, and the progress ends at 1."""
    file = opened(write(make_table(1200), tmp_path / f"some.{form}"))
    seen: list[float] = []
    batches = list(file.batches(["plan", "age"], seen.append))
    assert {tuple(batch.schema.names) for batch in batches} == {("plan", "age")}
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_the_format_follows_from_the_extension(extension: str) -> None:
    """The case of the extension does not matter."""
    assert form_of(LocalFile(Path(f"DATA{extension.upper()}"))) == EXTENSIONS[extension]


def test_the_format_can_be_given(tmp_path: Path) -> None:
    path = write(make_table(10), tmp_path / "some.parquet").rename(tmp_path / "some.data")
    assert opened(path, form="parquet").rows == 10


class TestTypesOfCsv:
    """CSV columns have the types that pandas users expect."""

    def test_types_are_inferred_from_the_values(self, tmp_path: Path) -> None:
        """A column of integers stays one, and a date beside a time is a time."""
        file = opened(csv(tmp_path, "a,b,c,d,e\n1,1.5,true,x,2025-01-01\n2,,False,,2025-01-02 03:00\n"))
        assert [str(field.type) for field in file.schema] == ["int64", "double", "bool", "string", "timestamp[s]"]

    @pytest.mark.parametrize("mark", MISSING_WORDS)
    def test_missing_values_are_recognized_as_in_pandas(self, tmp_path: Path, mark: str) -> None:
        """This holds for columns of numbers and of text, quoted or not."""
        path = csv(tmp_path, f'n,t,q\n1,x,y\n{mark},{mark},"{mark}"\n')
        found = read(opened(path))
        assert [found[name].to_pylist()[1] for name in ("n", "t", "q")] == [None, None, None]
        assert pd.read_csv(path).isna().to_numpy().tolist() == [[False] * 3, [True] * 3]

    def test_words_for_missing_values_can_be_replaced(self, tmp_path: Path) -> None:
        """The given words replace the default, so that NA can be a country code."""
        file = open_source(LocalFile(csv(tmp_path, "n,t\n1,x\n?,NA\n")), form=None, delimiter=",", missing=("", "?"))
        assert read(file).to_pydict() == {"n": [1.0, None], "t": ["x", "NA"]}

    @pytest.mark.parametrize(
        ("early", "late"), [("1", "1.5"), ("1", "?"), ("true", "maybe"), ("2025-01-01", "soon"), ("", "x")]
    )
    def test_a_late_value_of_another_type_restarts_reading(self, tmp_path: Path, early: str, late: str) -> None:
        """Types are inferred from the first block; a later value can require another type."""
        rows = 300_000
        found = read(opened(csv(tmp_path, "a,b\n" + f"{early},2\n" * rows + f"{late},3\n")))
        assert found.num_rows == rows + 1
        assert str(found["a"].to_pylist()[-1]) == late

    def test_columns_can_be_read_as_text(self, tmp_path: Path) -> None:
        """Codes keep their leading zeros."""
        assert read(opened(csv(tmp_path, "zip\n01234\n"), texts=frozenset({"zip"})))["zip"].to_pylist() == ["01234"]

    def test_the_index_written_by_pandas_is_not_a_column(self, tmp_path: Path) -> None:
        """`DataFrame.to_csv` writes the index as a column with an empty name."""
        file = opened(csv(tmp_path, ",a\n0,1\n1,2\n"))
        assert (file.schema.names, file.index) == (["a"], ("",))

    def test_an_index_of_several_levels_is_not_a_column(self, tmp_path: Path) -> None:
        """Each level without a name is a column with an empty name."""
        frame = pd.DataFrame({"a": [1.5, 2.5]}, index=pd.MultiIndex.from_tuples([(0, 1), (0, 2)]))
        file = opened(csv(tmp_path, frame.to_csv()))
        assert (file.schema.names, file.index) == (["a"], ("",))
        assert read(file)["a"].to_pylist() == [1.5, 2.5]

    def test_delimiter_and_quoted_line_breaks(self, tmp_path: Path) -> None:
        assert read(opened(csv(tmp_path, 'a;b\n"x\ny";2\n'), delimiter=";"))["a"].to_pylist() == ["x\ny"]


@pytest.mark.parametrize("form", ["parquet", "feather"])
def test_the_index_of_a_pandas_table_is_not_a_column(tmp_path: Path, form: str) -> None:
    """This holds for an index with and without a name, as in pandas."""
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]}, index=pd.Index([5, 7], name="key"))
    table = pa.Table.from_pandas(frame)
    assert "key" in table.column_names
    assert opened(write(table, tmp_path / f"some.{form}")).schema.names == ["a", "b"]


@pytest.mark.parametrize("form", ["parquet", "feather"])
@pytest.mark.parametrize(
    "metadata",
    [b"", b"{", b"[1]", b"\xff", b"[" * 100_000, b'{"index_columns": null}', b'{"index_columns": [["a"], {}, 3]}'],
    ids=lambda metadata: repr(metadata[:30]),
)
def test_malformed_metadata_of_pandas_is_ignored(tmp_path: Path, form: str, metadata: bytes) -> None:
    table = pa.table({"a": [1, 2], "b": [3, 4]}).replace_schema_metadata({"pandas": metadata})
    file = opened(write(table, tmp_path / f"some.{form}"))
    assert file.index == ()
    assert read(file).num_rows == 2


BROKEN = {
    "gone.parquet": (None, "does not exist; its folder "),
    "gone.csv": (None, "does not exist; its folder "),
    "empty.parquet": (b"", "is empty (0 bytes)"),
    "empty.feather": (b"", "is empty (0 bytes)"),
    "empty.csv": (b"", "is empty (0 bytes)"),
    "noise.parquet": (b"PAR1" + bytes(range(256)) * 4, "cannot be read as parquet: "),
    "noise.feather": (b"ARROW1\0\0" + bytes(range(256)) * 4, "cannot be read as feather: "),
    "noise.csv.gz": (b"no gzip", "cannot be read as csv: "),
    "cut.csv.gz": (gzip.compress(b"a,b\n1,2\n" * 1000)[:40], "cannot be read as csv: "),
    "ragged.csv": (b"a,b\n1\n", "cannot be read as csv: a row has 1 instead of 2 fields"),
    "latin.csv": (b"a,b\nM\xfcnchen,1\n", "column 'a' is not UTF-8"),
    "twice.csv": (b"a,a\n1,2\n", "has the column 'a' more than once; rename one of them"),
    "some.xlsx": (b"", "the extension must be one of .csv, .tsv, .parquet, "),
}


@pytest.mark.parametrize("name", BROKEN)
def test_unreadable_file_gives_a_one_line_error(tmp_path: Path, name: str) -> None:
    """The message starts with the file and the reason."""
    content, message = BROKEN[name]
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError) as error:
        read(opened(path))
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("codec", ["gz", "bz2", "lz4", "zst"])
def test_compressed_csv_is_unpacked_by_its_extension(tmp_path: Path, codec: str) -> None:
    path = tmp_path / f"some.csv.{codec}"
    with pa.output_stream(str(path), compression="detect") as stream:
        stream.write(b"a,b\n" + b"1,x\n" * 10)
    assert path.read_bytes()[:2] != b"a,"
    assert read(opened(path, form="csv")).num_rows == 10


def test_a_named_pipe_is_refused(tmp_path: Path) -> None:
    """Opening it would block until something writes to it."""
    path = tmp_path / "some.csv"
    os.mkfifo(path)
    with pytest.raises(UsageError, match=r"is not a regular file"):
        opened(path)
