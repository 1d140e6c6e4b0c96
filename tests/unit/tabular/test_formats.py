"""JSON Lines, compressed files, folders of Parquet and Feather files, and values that mean a missing value."""

from __future__ import annotations

import datetime as dt
import json
import lzma
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from perennate.tabular.errors import EmptyFileError, FormatError, UsageError
from perennate.tabular.opening import open_source
from perennate.tabular.reading import read_table
from perennate.tabular.sources import LocalFile

BLOCK = 5000
"""More rows than are read at once."""


def read(path: Path, **options: Any) -> pa.Table:
    """All rows of a file."""
    return read_table(open_source(LocalFile(path), **options))


def lines(tmp_path: Path, *rows: Any, name: str = "some.jsonl") -> Path:
    """Write a JSON Lines file."""
    path = tmp_path / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


UTC = dt.UTC
JSON: dict[str, tuple[list[dict[str, Any]], str, Any]] = {
    "whole numbers": ([{"a": 1}, {"a": 2}], "int64", 2),
    "numbers": ([{"a": 1}, {"a": 2.5}], "double", 2.5),
    "a late fraction": ([{"a": 1}] * BLOCK + [{"a": 2.5}], "double", 2.5),
    "text": ([{"a": "x"}, {"a": "1"}], "string", "1"),
    "booleans": ([{"a": True}, {"a": False}], "bool", False),
    "nulls": ([{"a": None}, {"a": None}], "null", None),
    "a late first value": ([{"a": None}] * BLOCK + [{"a": 3}], "int64", 3),
    "a key that is absent": ([{"a": 1, "b": 2}, {"b": 2}], "int64", None),
    "a late key": ([{"b": 1}] * BLOCK + [{"a": 3}], "int64", 3),
    "dates": ([{"a": "2025-01-02"}], "timestamp[us]", dt.datetime(2025, 1, 2)),  # noqa: DTZ001 - without a zone
    "times with a zone": (
        [{"a": "2025-01-02T03:00:00+01:00"}],
        "timestamp[us, tz=UTC]",
        dt.datetime(2025, 1, 2, 2, tzinfo=UTC),
    ),
    "dates and text": ([{"a": "2025-01-02"}, {"a": "soon"}], "string", "soon"),
    "a late text": ([{"a": 1.5}] * BLOCK + [{"a": "x"}], "string", "x"),
    "numbers and booleans": ([{"a": 1}, {"a": True}], "string", "true"),
    "a very large number": ([{"a": 10**30}], "string", str(10**30)),
    "lists": ([{"a": [1]}], "list<item: int64>", [1]),
    "codes": ([{"a": "01000"}], "string", "01000"),
}


@pytest.mark.parametrize("name", JSON)
def test_the_types_of_json_follow_from_all_values(tmp_path: Path, name: str) -> None:
    rows, kind, last = JSON[name]
    found = read(lines(tmp_path, *rows))
    assert (str(found["a"].type).replace("element", "item"), found["a"].to_pylist()[-1]) == (kind, last)
    assert found.num_rows == len(rows)


def test_json_of_pandas_gives_the_same_rows(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.5, None], "k": ["a", None], "t": pd.to_datetime(["2025-01-01", "2025-01-02"])})
    path = tmp_path / "some.ndjson"
    frame.to_json(path, orient="records", lines=True, date_format="iso")
    found = read(path).to_pydict()
    assert (found["x"], found["k"]) == ([1.5, None], ["a", None])
    assert [moment.date().isoformat() for moment in found["t"]] == ["2025-01-01", "2025-01-02"]


def test_python_writes_nan_in_json(tmp_path: Path) -> None:
    """JSON has no NaN, but `json.dumps` writes it."""
    assert math.isnan(read(lines(tmp_path, {"a": float("nan")}, {"a": 1.0}))["a"].to_pylist()[0])


NO_JSON = {
    "no JSON": (b'{"a": 1}\n{"a":\n', "line 2 is not JSON"),
    "a list": (b"[1]\n", "line 1 is not a JSON object"),
    "a whole document": (b'[\n{"a": 1}\n]\n', "line 1 is not JSON"),
    "deep nesting": (b'{"a":' + b"[" * 100_000 + b"\n", "line 1 is not JSON"),
    "a very long line": (b'{"a":"' + b"x" * 2_000_000 + b'"}\n', "line 1 is too long"),
    "Latin-1": ('{"a": "ü"}\n'.encode("latin-1"), ""),
}


@pytest.mark.parametrize("name", NO_JSON)
def test_a_line_that_is_not_an_object_is_refused_without_its_content(tmp_path: Path, name: str) -> None:
    content, words = NO_JSON[name]
    path = tmp_path / "some.jsonl"
    path.write_bytes(content)
    with pytest.raises(FormatError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: cannot be read as jsonl: {words}")
    assert "xxx" not in str(error.value)


@pytest.mark.parametrize("content", [b"\n\n", b""])
def test_json_without_rows_is_empty(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(content)
    with pytest.raises(EmptyFileError):
        read(path)


@pytest.mark.parametrize("codec", ["", ".gz", ".bz2", ".zst", ".lz4", ".xz"])
@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "ndjson"])
def test_text_can_be_compressed(tmp_path: Path, form: str, codec: str) -> None:
    """The extension tells format and compression, in any letter case."""
    text = {"csv": b"a,b\n1,x\n", "tsv": b"a\tb\n1\tx\n"}.get(form, b'{"a": 1, "b": "x"}\n')
    path = tmp_path / f"some.{form}{codec}".upper()
    if codec == ".xz":
        path.write_bytes(lzma.compress(text))
    else:
        with pa.output_stream(str(path), compression=None if not codec else pa.Codec.detect(f"x{codec}").name) as out:
            out.write(text)
    assert read(path).to_pydict() == {"a": [1], "b": ["x"]}


def test_a_damaged_xz_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.csv.xz"
    path.write_bytes(lzma.compress(b"a\n1\n" * 1000)[:-20])
    with pytest.raises(FormatError, match="cannot be unpacked: "):
        read(path)


def test_a_compressed_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.parquet.gz"
    path.write_bytes(b"x")
    with pytest.raises(UsageError, match="parquet is compressed inside the file; unpack the file first"):
        read(path)


def test_a_partitioned_folder_has_the_rows_and_columns_of_all_files(tmp_path: Path) -> None:
    """Spark, Hive and pandas write such folders, with marker files and checksums."""
    table = pa.table({"x": [1.5, 2.5, 3.5], "year": [2024, 2025, 2025], "land": ["NA", "NA", "DE"]})
    pyarrow.dataset.write_dataset(
        table,
        tmp_path / "rows",
        format="parquet",
        partitioning=pyarrow.dataset.partitioning(table.select(["year", "land"]).schema, flavor="hive"),
    )
    for name in ("_SUCCESS", "year=2024/.part-0.parquet.crc", "_metadata"):
        (tmp_path / "rows" / name).write_bytes(b"")
    found = read(tmp_path / "rows")
    assert {str(field.type) for field in found.schema} == {"double", "int64", "string"}
    assert sorted(found.to_pylist(), key=lambda row: row["x"]) == table.to_pylist()


PARTITIONS: dict[str, tuple[list[str], str, list[Any]]] = {
    "numbers": (["1", "2"], "int64", [1, 2]),
    "codes": (["01", "02"], "string", ["01", "02"]),
    "dates": (["2025-01-01", "2025-01-02"], "date32[day]", [dt.date(2025, 1, 1), dt.date(2025, 1, 2)]),
    "text and numbers": (["1", "x"], "string", ["1", "x"]),
    "a missing value": (["1", "__HIVE_DEFAULT_PARTITION__"], "int64", [1, None]),
    "special characters": (["a%2Fb", "a%3Db"], "string", ["a/b", "a=b"]),
}


@pytest.mark.parametrize("name", PARTITIONS)
def test_the_type_of_a_partition_follows_from_its_values(tmp_path: Path, name: str) -> None:
    values, kind, expected = PARTITIONS[name]
    for value in values:
        (tmp_path / "rows" / f"k={value}").mkdir(parents=True)
        pq.write_table(pa.table({"x": [1]}), tmp_path / "rows" / f"k={value}" / "0.parquet")
    found = read(tmp_path / "rows")
    assert (str(found["k"].type), found["k"].to_pylist()) == (kind, expected)


def test_files_of_a_folder_may_differ_in_columns_and_widths_of_numbers(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1], "only": ["a"]}), tmp_path / "1.parquet")
    feather.write_feather(pa.table({"more": [True], "x": [2.5]}), str(tmp_path / "2.feather"))
    expected = {"x": [1.0, 2.5], "only": ["a", None], "more": [None, True]}
    assert read(tmp_path).to_pydict() == expected
    file = open_source(LocalFile(tmp_path))
    (one, two) = file.batches(["more"], lambda share: None)
    assert (one.to_pydict(), two.to_pydict(), file.rows) == ({"more": [None]}, {"more": [True]}, 2)


def test_a_folder_may_hold_more_files_than_a_process_can_open(tmp_path: Path) -> None:
    import resource

    for index in range(60):
        pq.write_table(pa.table({"x": [index]}), tmp_path / f"{index:03d}.parquet")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 20, limits[1]))
    try:
        assert read(tmp_path)["x"].to_pylist() == list(range(60))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


FOLDERS: dict[str, tuple[dict[str, pa.Table | None], str]] = {
    "no files": ({}, "the folder holds no data file"),
    "only marker files": ({"_SUCCESS": None}, "the folder holds no data file"),
    "csv files": ({"a.csv": None}, "a.csv: is csv; a folder may hold Parquet or Feather files: name files of csv one"),
    "other files": ({"a.txt": None}, "a.txt: the extension must be one of "),
    "other types": (
        {"1.parquet": pa.table({"x": [1]}), "2.parquet": pa.table({"x": ["a"]})},
        "2.parquet: column 'x' holds string, in other files int64",
    ),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_an_unusable_folder_is_refused(tmp_path: Path, name: str) -> None:
    files, words = FOLDERS[name]
    for file_name, table in files.items():
        if table is None:
            (tmp_path / file_name).write_text("a\n1\n")
        else:
            pq.write_table(table, tmp_path / file_name)
    with pytest.raises(UsageError, match=words):
        read(tmp_path)


@pytest.mark.parametrize("form", ["parquet", "feather", "jsonl", "csv"])
def test_values_that_mean_a_missing_value(tmp_path: Path, form: str) -> None:
    """They are compared as numbers in columns of numbers, and as text in columns of text."""
    table = pa.table({"x": [1.5, -999.0], "n": [-999, 2], "k": ["?", "-999"], "b": [True, False]})
    path = tmp_path / f"some.{form}"
    if form == "jsonl":
        lines(tmp_path, *table.to_pylist())
    elif form == "csv":
        table.to_pandas().to_csv(path, index=False)
    else:
        (pq.write_table if form == "parquet" else feather.write_feather)(table, str(path))
    words = ("?", "-999", "-999.0")
    found = read(path, missing=("", *words), marked=words).to_pydict()
    assert found == {"x": [1.5, None], "n": [None, 2], "k": [None, None], "b": [True, False]}
