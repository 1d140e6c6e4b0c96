"""Training reads a csv file as `perennate drift` and pandas do."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pandas._libs.parsers import STR_NA_VALUES  # type: ignore[import-not-found]

from perennate.api.documents.run_spec import TrainData
from perennate.tabular.missing import MISSING_WORDS
from perennate.tabular.sources import open_file
from perennate.trainer.data.sources import read_source
from perennate.trainer.places import Places

COLUMNS = ("number", "text", "quoted")


def read_for_training(path: Path) -> pa.Table:
    """The file, as a claim holds it."""
    folder = path.parent
    places = Places(run=folder, store=folder, data=folder, termination_log=folder / "log")
    return read_source(TrainData(uri=f"pvc://claim/{path.name}"), places, "default")


def read_for_drift(path: Path) -> pa.Table:
    """The file, as the command reads it."""
    file = open_file(path, form="csv", delimiter=",")
    return pa.Table.from_batches(list(file.batches(file.schema.names, lambda share: None)))


def test_the_words_are_those_of_pandas() -> None:
    """Neither fewer nor more, so that a file means what its author saw."""
    assert sorted(MISSING_WORDS) == sorted(STR_NA_VALUES)


@pytest.mark.parametrize("word", MISSING_WORDS)
def test_missing_values_are_the_same_on_both_sides(tmp_path: Path, word: str) -> None:
    """In columns of numbers and of text, quoted or not."""
    path = tmp_path / "train.csv"
    path.write_text(f'{",".join(COLUMNS)}\n1,x,y\n{word},{word},"{word}"\n2,z,z\n')
    expected = pd.read_csv(path).isna().to_dict("list")
    assert expected == {name: [False, True, False] for name in COLUMNS}
    for table in (read_for_training(path), read_for_drift(path)):
        assert {name: table[name].is_null().to_pylist() for name in COLUMNS} == expected


@pytest.mark.parametrize(
    "values", [("true", "False", ""), ("true", "1", "0"), ("-", "?", "missing"), ("na", "Null", "x")]
)
def test_other_words_are_the_same_on_both_sides(tmp_path: Path, values: tuple[str, ...]) -> None:
    """Booleans are words, not digits; what pandas does not take for missing is text."""
    path = tmp_path / "train.csv"
    path.write_text("id,value\n" + "".join(f"a,{value}\n" for value in values))
    mine, other = (read(path)["value"] for read in (read_for_training, read_for_drift))
    assert (mine.type, mine.to_pylist()) == (other.type, other.to_pylist())
