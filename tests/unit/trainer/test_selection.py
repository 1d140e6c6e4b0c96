"""Which columns become features: index columns, excluded columns, and names that are not there."""

from __future__ import annotations

from typing import Any

import pytest

from perennate.api.documents.run_spec import Data
from perennate.trainer.data.selection import Available, Columns, index_names, resolve_columns
from perennate.trainer.errors import DataRefusedError


def resolve(names: list[str], index: tuple[str, ...] = (), *, captured: bool = False, **data: Any) -> Columns:
    """The columns of a run with the target `label`."""
    return resolve_columns(Data.model_validate(data), Available(tuple(names), index, captured=captured), target="label")


INDEX: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "a csv file that was read and written": (["Unnamed: 0", "a", "label"], ("Unnamed: 0",)),
    "a csv file after two round trips": (
        ["Unnamed: 0.1", "Unnamed: 0", "a", "label"],
        ("Unnamed: 0.1", "Unnamed: 0"),
    ),
    "a csv file after three round trips": (["Unnamed: 0.1.1", "a", "label"], ("Unnamed: 0.1.1",)),
    "names in lower case": (["unnamed: 0", "a", "label"], ("unnamed: 0",)),
    "an index of two levels": (["Unnamed: 0", "Unnamed: 1", "a", "label"], ("Unnamed: 0", "Unnamed: 1")),
    "a Parquet file that lost its metadata": (["a", "label", "__index_level_0__"], ("__index_level_0__",)),
    "two levels in a Parquet file": (
        ["a", "label", "__index_level_0__", "__index_level_1__"],
        ("__index_level_0__", "__index_level_1__"),
    ),
    "a column without a name in the middle": (["a", "Unnamed: 1", "label"], ()),
    "names that only look alike": (["index", "id", "Unnamed", "Unnamed: 0 kg", "level_0", "label"], ()),
}


@pytest.mark.parametrize("case", INDEX)
def test_index_columns_are_not_features(case: str) -> None:
    names, index = INDEX[case]
    found = resolve(names)
    assert found.index == index == index_names(names)
    assert found.features == tuple(name for name in names if name not in (*index, "label"))


def test_an_index_that_the_reader_left_out_is_reported() -> None:
    assert resolve(["a", "label"], ("",)) == Columns("label", ("a",), ("",))


def test_an_index_column_is_a_feature_if_it_is_named() -> None:
    assert resolve(["Unnamed: 0", "a", "label"], features=["Unnamed: 0", "a"]) == Columns("label", ("Unnamed: 0", "a"))


def test_an_index_column_can_be_the_time_or_be_excluded_and_is_then_not_reported() -> None:
    by_time = resolve(["Unnamed: 0", "a", "label"], holdout={"timeColumn": "Unnamed: 0"})
    assert by_time == resolve(["Unnamed: 0", "a", "label"], exclude=["Unnamed: 0"]) == Columns("label", ("a",))
    assert resolve(["a", "label"], ("when",), exclude=["when"]) == Columns("label", ("a",))


def test_captured_rows_keep_the_features_of_the_version_in_service() -> None:
    assert resolve(["Unnamed: 0", "label"], captured=True).features == ("Unnamed: 0",)


def test_excluded_columns_are_not_features() -> None:
    assert resolve(["id", "a", "note", "label"], exclude=["note", "id"]).features == ("a",)


REFUSED: dict[str, tuple[list[str], dict[str, Any], str]] = {
    "a misspelt name": (
        ["customer_id", "a", "label"],
        {"exclude": ["custmer_id"]},
        r"exclude: the data have no column 'custmer_id' \(did you mean 'customer_id'\?\); they have customer_id, a",
    ),
    "another case": (["Customer ID", "label"], {"exclude": ["customer_id"]}, r"did you mean 'Customer ID'\?"),
    "several names": (
        ["a", "label"],
        {"exclude": ["b", "c", "a"]},
        r"spec\.data\.exclude: the data have no columns 'b', 'c'; they have a, label$",
    ),
    "a feature": (
        ["age", "label"],
        {"features": ["ages"]},
        r"spec\.data\.features: .* 'ages' \(did you mean 'age'\?\)",
    ),
    "blanks in the header": (
        ["a", " b", "label"],
        {"features": ["a", "b"]},
        r"no column 'b' \(did you mean ' b'\?\); they have a, ' b', label; names with blanks at an end are quoted",
    ),
    "the target": (["a", "label"], {"exclude": ["label"]}, r"spec\.data\.exclude: 'label' is the target"),
    "the time column": (["a", "label"], {"holdout": {"timeColumn": "when"}}, r"holdout\.timeColumn: .* 'when'"),
    "all columns": (["a", "label"], {"exclude": ["a"]}, "no column is left for the model"),
    "only an index": (["Unnamed: 0", "label"], {}, "no column is left for the model"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_name_that_cannot_be_used_is_refused_with_the_nearest_one(case: str) -> None:
    names, data, message = REFUSED[case]
    with pytest.raises(DataRefusedError, match=message):
        resolve(names, **data)


def test_a_target_with_blanks_in_the_header_is_found_by_its_neighbour() -> None:
    with pytest.raises(
        DataRefusedError, match=r"no column 'label' \(did you mean ' label'\?\); they have a, ' label';"
    ):
        resolve(["a", " label"])
