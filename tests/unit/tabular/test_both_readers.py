"""Training and `perennate drift` read a file alike: columns, types, missing values, values and errors."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import io
import lzma
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from pandas._libs.parsers import STR_NA_VALUES  # type: ignore[import-not-found]

from perennate.api.documents.run_spec import TrainData
from perennate.cli.arguments import parser
from perennate.cli.drift.options import ColumnRoles, read_options
from perennate.cli.drift.reference import read_reference
from perennate.tabular.errors import UsageError
from perennate.tabular.missing import MISSING_WORDS
from perennate.tabular.reading import DataFile, RetypedError
from perennate.trainer.data.sources import FIELD, read_source
from perennate.trainer.errors import DataRefusedError
from perennate.trainer.paths import RunPaths

COLUMNS = ("number", "text", "quoted")
LONG = 200_000
"""Rows of a column that spans more than one block."""


def read_for_training(path: Path, form: str = "csv", *, named: tuple[str, ...] = ()) -> pa.Table:
    """The file as the prepare stage reads it from a claim."""
    folder = path.parent
    paths = RunPaths(run=folder, store=folder, data=folder, termination_log=folder / "log")
    train = TrainData(uri=f"pvc://claim/{path.name}", format=form)
    return read_source(train, paths, "default", named=named).table


def open_for_drift(path: Path, form: str = "csv") -> DataFile:
    """The file as the command opens it."""
    given = parser().parse_args(["drift", "--reference", str(path), "--format", form])
    return read_options(given).open(given.reference)


def read_for_drift(path: Path, form: str = "csv") -> pa.Table:
    """The file as the command reads it."""
    file = open_for_drift(path, form)
    while True:
        try:
            return pa.Table.from_batches(list(file.batches(file.schema.names, lambda share: None)))
        except RetypedError:
            continue


def test_words_for_missing_values_equal_those_of_pandas() -> None:
    assert sorted(MISSING_WORDS) == sorted(STR_NA_VALUES)


@pytest.mark.parametrize("word", MISSING_WORDS)
def test_missing_values_are_equal_for_both_readers(tmp_path: Path, word: str) -> None:
    """This holds for columns of numbers and of text, quoted or not."""
    path = tmp_path / "train.csv"
    path.write_text(f'{",".join(COLUMNS)}\n1,x,y\n{word},{word},"{word}"\n2,z,z\n')
    expected = pd.read_csv(path).isna().to_dict("list")
    assert expected == {name: [False, True, False] for name in COLUMNS}
    for table in (read_for_training(path), read_for_drift(path)):
        assert {name: table[name].is_null().to_pylist() for name in COLUMNS} == expected


def csv(text: str) -> Callable[[], bytes]:
    """A csv file in UTF-8."""
    return text.encode


def long(early: str, late: str) -> Callable[[], bytes]:
    """A csv file whose last value has another type than those of the first block."""
    return f"id,value\n{f'7,{early}{chr(10)}' * LONG}7,{late}\n".encode


def parquet(**columns: pa.Array) -> Callable[[], bytes]:
    """A Parquet file."""

    def content() -> bytes:
        sink = io.BytesIO()
        pq.write_table(pa.table(columns), sink)
        return sink.getvalue()

    return content


def with_index(index: pd.Index[Any]) -> Callable[[], bytes]:
    """A Parquet file written by pandas, with this index."""
    sink = io.BytesIO()
    pd.DataFrame({"a": [1.5, 2.5]}, index=index).to_parquet(sink)
    return sink.getvalue


@dataclass(frozen=True)
class Case:
    """A file and the expected result of both readers.

    Args:
        content: bytes of the file.
        types: type by column.
        last: value of each column in the last row.
        missing: number of missing values by column.
        name: name of the file.
    """

    content: Callable[[], bytes]
    types: dict[str, str]
    last: list[Any]
    missing: list[int]
    name: str = "rows.csv"

    @property
    def form(self) -> str:
        """The format of the file."""
        return "parquet" if self.name.endswith("parquet") else "csv"


DAY, NOON = dt.date(2025, 1, 2), dt.datetime(2025, 1, 2, 12, 0)  # noqa: DTZ001 - a time without a zone
UTC = dt.datetime(2025, 1, 2, 12, 0, tzinfo=dt.UTC)
GOOD = {
    "leading zeros": Case(csv("zip,a\n01234,1\n10017,2\n"), {"zip": "string", "a": "int64"}, ["10017", 2], [0, 0]),
    "quoted numbers": Case(csv('a,b\n"1","1.5"\n"2","2.5"\n'), {"a": "int64", "b": "double"}, [2, 2.5], [0, 0]),
    "integers and fractions": Case(csv("a,b\n1,1\n2.5,\n"), {"a": "double", "b": "int64"}, [2.5, None], [0, 1]),
    "an integer too large": Case(csv("a\n1\n99999999999999999999\n"), {"a": "double"}, [1e20], [0]),
    "an integer with no exact float": Case(csv("a\n9007199254740993\n"), {"a": "int64"}, [9007199254740993], [0]),
    "signs and exponents": Case(csv("a,b\n+1,1e3\n-2,2E-1\n"), {"a": "double", "b": "double"}, [-2.0, 0.2], [0, 0]),
    "infinities": Case(csv("a\ninf\n-inf\n"), {"a": "double"}, [float("-inf")], [0]),
    "spaces around numbers": Case(csv("a,b\n 1,x\n2 , y\n"), {"a": "int64", "b": "string"}, [2, " y"], [0, 0]),
    "booleans": Case(csv("a,b\ntrue,TRUE\nfalse,\n"), {"a": "bool", "b": "bool"}, [False, None], [0, 1]),
    "booleans and digits": Case(csv("a,b\ntrue,1\n0,0\n"), {"a": "string", "b": "int64"}, ["0", 0], [0, 0]),
    "empty strings": Case(csv('a,b\n"",x\n,""\n'), {"a": "null", "b": "string"}, [None, None], [2, 1]),
    "NA with and without quotes": Case(csv('a,b\nNA,"NA"\nx,y\n'), {"a": "string", "b": "string"}, ["x", "y"], [1, 1]),
    "words that are not missing values": Case(csv("a\n-\n?\nmissing\n"), {"a": "string"}, ["missing"], [0]),
    "dates": Case(csv("a\n2025-01-01\n2025-01-02\n"), {"a": "date32[day]"}, [DAY], [0]),
    "dates and times": Case(csv("a\n2025-01-01\n2025-01-02 12:00\n"), {"a": "timestamp[s]"}, [NOON], [0]),
    "times with a time zone": Case(
        csv("a\n2025-01-02T12:00:00Z\n2025-01-02T14:00:00+0200\n"), {"a": "timestamp[s, tz=UTC]"}, [UTC], [0]
    ),
    "times of day": Case(csv("a\n12:30\n12:31:05\n"), {"a": "time32[s]"}, [dt.time(12, 31, 5)], [0]),
    "other dates": Case(csv("a\n31.12.2025\n01/02/2025\n"), {"a": "string"}, ["01/02/2025"], [0]),
    "a byte order mark": Case(lambda: b"\xef\xbb\xbfa,b\n1,x\n", {"a": "int64", "b": "string"}, [1, "x"], [0, 0]),
    "line ends as on Windows": Case(csv("a,b\r\n1,x\r\n"), {"a": "int64", "b": "string"}, [1, "x"], [0, 0]),
    "a line break in quotes": Case(csv('a,b\n"x\ny",1\n'), {"a": "string", "b": "int64"}, ["x\ny", 1], [0, 0]),
    "a doubled quote": Case(csv('a\n"x ""y"""\n'), {"a": "string"}, ['x "y"'], [0]),
    "semicolons": Case(csv("a;b\n1;x\n"), {"a": "int64", "b": "string"}, [1, "x"], [0, 0]),
    "tabs": Case(csv("a\tb\n1\t2\n"), {"a": "int64", "b": "int64"}, [1, 2], [0, 0]),
    "the index of pandas": Case(csv(",a\n0,1\n1,2\n"), {"a": "int64"}, [2], [0]),
    "gzip": Case(
        lambda: gzip.compress(b"a,b\n1,x\n,y\n"), {"a": "int64", "b": "string"}, [None, "y"], [1, 0], "a.csv.gz"
    ),
    "gzip without a csv extension": Case(lambda: gzip.compress(b"a\n1\n"), {"a": "int64"}, [1], [0], "rows.gz"),
    "a late fraction": Case(long("1", "1.5"), {"id": "int64", "value": "double"}, [7, 1.5], [0, 0]),
    "a late text": Case(long("1", "x"), {"id": "int64", "value": "string"}, [7, "x"], [0, 0]),
    "a decimal after hexadecimals": Case(long("0x10", "1.5"), {"id": "int64", "value": "string"}, [7, "1.5"], [0, 0]),
    "a late first value": Case(long("", "3"), {"id": "int64", "value": "int64"}, [7, 3], [0, LONG]),
    "a late first text": Case(long("", "x"), {"id": "int64", "value": "string"}, [7, "x"], [0, LONG]),
    "a late time": Case(
        long("2025-01-01", "2025-01-02 12:00"), {"id": "int64", "value": "timestamp[s]"}, [7, NOON], [0, 0]
    ),
    "a late boolean": Case(long("1", "true"), {"id": "int64", "value": "string"}, [7, "true"], [0, 0]),
    "parquet with nulls": Case(
        parquet(a=pa.array([1, None]), b=pa.array(["NA", None])),
        {"a": "int64", "b": "string"},
        [None, None],
        [1, 1],
        "a.parquet",
    ),
    "parquet with a dictionary": Case(
        parquet(a=pa.array(["x", None, "y"]).dictionary_encode()),
        {"a": "dictionary<values=string, indices=int32, ordered=0>"},
        ["y"],
        [1],
        "a.parquet",
    ),
    "parquet with decimals": Case(
        parquet(a=pa.array([decimal.Decimal("1.50"), None])), {"a": "decimal128(3, 2)"}, [None], [1], "a.parquet"
    ),
    "parquet with times": Case(
        parquet(a=pa.array([NOON], pa.timestamp("ns")), b=pa.array([NOON], pa.timestamp("us", "UTC"))),
        {"a": "timestamp[ns]", "b": "timestamp[us, tz=UTC]"},
        [pd.Timestamp(NOON), UTC],
        [0, 0],
        "a.parquet",
    ),
    "parquet with lists": Case(
        parquet(a=pa.array([[1], None]), b=pa.array([1.0, float("nan")])),
        {"a": "list<element: int64>", "b": "double"},
        [None, float("nan")],
        [1, 0],
        "a.parquet",
    ),
    "parquet with an index": Case(with_index(pd.Index([5, 7])), {"a": "double"}, [2.5], [0], "a.parquet"),
    "parquet with a named index": Case(
        with_index(pd.Index([5, 7], name="key")), {"a": "double"}, [2.5], [0], "a.parquet"
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_both_readers_return_the_same_rows(tmp_path: Path, name: str) -> None:
    """The expected values are in the table, so both readers cannot make the same mistake."""
    case = GOOD[name]
    path = tmp_path / case.name
    path.write_bytes(case.content())
    training, drift = read_for_training(path, case.form), read_for_drift(path, case.form)
    assert training.schema.remove_metadata() == drift.schema.remove_metadata()
    assert dict(zip(training.column_names, map(str, training.schema.types), strict=True)) == case.types
    last = training.slice(training.num_rows - 1).to_pylist()
    assert [str(value) for value in last[0].values()] == [str(value) for value in case.last]
    assert [training[column].null_count for column in case.types] == case.missing
    for column in case.types:
        assert [str(value) for value in training[column].to_pylist()] == [
            str(value) for value in drift[column].to_pylist()
        ]


@pytest.mark.parametrize("name", [name for name, case in GOOD.items() if "list" not in str(case.types)])
def test_profile_has_the_missing_counts_of_training(tmp_path: Path, name: str) -> None:
    """A NaN in a Parquet file counts as missing in the profile too."""
    case = GOOD[name]
    path = tmp_path / case.name
    path.write_bytes(case.content())
    profile = read_reference(
        open_for_drift(path, case.form), ColumnRoles({}, frozenset()), limit=None, tick=lambda share: None
    ).profile
    assert [(feature.name, feature.missing) for feature in profile.features] == list(
        zip(case.types, case.missing, strict=True)
    )


REFUSED: dict[str, tuple[str, bytes | None, str]] = {
    "missing file": ("rows.csv", None, "does not exist; its folder is missing or empty: correct the path"),
    "0 bytes": ("rows.csv", b"", "is empty (0 bytes)"),
    "0 bytes of parquet": ("a.parquet", b"", "is empty (0 bytes)"),
    "an empty line": ("rows.csv", b"\n", "has no column names and no rows"),
    "only a header": ("rows.csv", b"a,b\n", "the file holds no rows"),
    "parquet without rows": ("a.parquet", parquet(a=pa.array([], pa.int64()))(), "the file holds no rows"),
    "a short row": ("rows.csv", b"a,b\n1,2\n1\n", "cannot be read as csv: a row has 1 instead of 2 fields"),
    "a long row": ("rows.csv", b"a,b\n1,2,3\n", "cannot be read as csv: a row has 3 instead of 2 fields"),
    "a late short row": (
        "rows.csv",
        b"a,b\n" + b"1,2\n" * LONG * 2 + b"1\n",
        "cannot be read as csv: a row has 1 instead of 2 fields",
    ),
    "two equal names": ("rows.csv", b"a,a\n1,2\n", "has the column 'a' more than once; rename one of them"),
    "Latin-1": ("rows.csv", "a,b\nMünchen,1\n".encode("latin-1"), "column 'a' is not UTF-8; save the file as UTF-8"),
    "Latin-1 in a header": (
        "rows.csv",
        "größe\n1\n".encode("latin-1"),
        "cannot be read as csv: a column name is not UTF-8; save the file as UTF-8",
    ),
    "an open quotation mark": (
        "rows.csv",
        b'a,b\n"1,2\n' + b"1,2\n" * 1_000_000,
        "cannot be read as csv: a row has more than 1048576 bytes; is a quotation mark not closed?",
    ),
    "late Latin-1": (
        "rows.csv",
        b"a,b\n" + b"x,2\n" * LONG * 2 + "ü,2\n".encode("latin-1"),
        "column 'a' is not UTF-8; save the file as UTF-8",
    ),
    "late Latin-1 among numbers": (
        "rows.csv",
        b"a,b\n" + b"1,2\n" * LONG * 2 + "ü,2\n".encode("latin-1"),
        "column 'a' is not UTF-8; save the file as UTF-8",
    ),
    "UTF-16": ("rows.csv", "a,b\n1,2\n".encode("utf-16"), "cannot be read as csv: it holds binary data"),
    "parquet as csv": ("rows.csv", parquet(a=pa.array([1]))(), "cannot be read as csv: it holds binary data"),
    "csv as parquet": ("a.parquet", b"a,b\n1,2\n", "cannot be read as parquet: "),
    "a truncated parquet file": ("a.parquet", parquet(a=pa.array([1]))()[:-9], "cannot be read as parquet: "),
    "a truncated gzip file": ("a.csv.gz", gzip.compress(b"a,b\n1,2\n" * 1000)[:40], "cannot be read as csv: "),
    "too many columns": (
        "rows.csv",
        b",".join(b"c%d" % index for index in range(3001)) + b"\n1\n",
        "must have at most",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_both_readers_refuse_a_file_with_the_same_message(tmp_path: Path, name: str) -> None:
    """Training adds the field and the URI, and the command adds the path."""
    file_name, content, reason = REFUSED[name]
    path = tmp_path / file_name
    if content is not None:
        path.write_bytes(content)
    form = "parquet" if file_name.endswith("parquet") else "csv"
    with pytest.raises(UsageError) as drift:
        read_reference(open_for_drift(path, form), ColumnRoles({}, frozenset()), limit=None, tick=lambda share: None)
    with pytest.raises(DataRefusedError) as training:
        read_for_training(path, form)
    drift_message = str(drift.value).removeprefix(f"{path}: ")
    assert drift_message.startswith(reason)
    training_message = str(training.value).removeprefix(f"{FIELD}: pvc://claim/{file_name}: ")
    assert training_message.removesuffix(f" (spec.data.train.format is {form})") == drift_message


def test_an_index_named_in_the_spec_is_read(tmp_path: Path) -> None:
    """The index of a DataFrame often holds the time of the rows; by default it is not a feature."""
    path = tmp_path / "rows.parquet"
    path.write_bytes(with_index(pd.Index([5, 7], name="key"))())
    assert read_for_training(path, "parquet", named=("key",)).to_pydict() == {"a": [1.5, 2.5], "key": [5, 7]}


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_gives_the_same_rows(tmp_path: Path, delimiter: str) -> None:
    """The command accepts a delimiter; types and values are those of the same file with commas."""
    lines = [["a", "b", "c"], ["1", "x", "2025-01-01"], ["", "NA", "2025-01-02"]]
    commas, other = tmp_path / "rows.csv", tmp_path / "other.csv"
    commas.write_text("\n".join(",".join(line) for line in lines))
    other.write_text("\n".join(delimiter.join(line) for line in lines))
    given = parser().parse_args(["drift", "--reference", str(other), "--delimiter", delimiter])
    file = read_options(given).open(other)
    found = pa.Table.from_batches(list(file.batches(file.schema.names, lambda share: None)))
    assert found.equals(read_for_training(commas))


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("rows.tsv.xz", "csv"),
        ("rows.csv.zst", "csv"),
        ("rows.jsonl", "jsonl"),
        ("rows.ndjson.gz", "jsonl"),
        ("rows.feather", "feather"),
        ("rows", "parquet"),
    ],
)
def test_training_reads_every_format_of_the_command(tmp_path: Path, name: str, form: str) -> None:
    """`rows` is a folder with a partition."""
    path, table = tmp_path / name, pa.table({"a": [1.5, 2.5], "k": ["x", "y"]})
    if form == "parquet":
        (path / "day=3").mkdir(parents=True)
        pq.write_table(table, path / "day=3" / "0.parquet")
    elif form == "feather":
        feather.write_feather(table, str(path))
    else:
        tab = "\t" if ".tsv" in name else ","
        text = f"a{tab}k\n1.5{tab}x\n2.5{tab}y\n" if form == "csv" else '{"a": 1.5, "k": "x"}\n{"a": 2.5, "k": "y"}\n'
        if name.endswith(".xz"):
            path.write_bytes(lzma.compress(text.encode()))
        else:
            with pa.output_stream(str(path)) as stream:
                stream.write(text.encode())
    expected = table.to_pydict() | ({"day": [3, 3]} if form == "parquet" else {})
    assert read_for_training(path, form).to_pydict() == expected
    assert read_for_drift(path, form).to_pydict() == expected
