"""Rows in every supported form are counted alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from perennate.drift.profile.build import build_profile
from tests.support.drift.makers import PEOPLE, make_columns, make_profile, make_recorder


@pytest.mark.parametrize("columns", [{"age": [1, 2], "country": ["de"]}, {"age": [[1, 2]]}, {"age": 3}, {}])
def test_columns_of_different_lengths_are_refused(columns: dict[str, Any]) -> None:
    """Nothing of such a batch is counted."""
    recorder = make_recorder(PEOPLE)

    with pytest.raises(ValueError, match="columns must be one-dimensional and equally long"):
        recorder.record(columns)
    assert recorder.document()["rows"] == 0


@dataclass(frozen=True, eq=False)
class Frame:
    """The part of the data frame interface that recording uses."""

    data: dict[str, Any]

    @property
    def columns(self) -> list[str]:
        """The column names."""
        return list(self.data)

    def __getitem__(self, name: str) -> Any:
        """One column."""
        return self.data[name]


def test_every_input_form_gives_the_same_counts() -> None:
    """Mappings of arrays or lists, records, data frames, and arrays with column names."""
    profile, columns = make_profile(rows=500), make_columns(40, seed=2)
    columns["f1"][3] = np.nan
    numbers = {name: values for name, values in columns.items() if name != "country"}
    lists = {name: values.tolist() for name, values in columns.items()}
    forms = {
        "lists": lists,
        "records": [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)],
        "frame": Frame(columns),
        "objects": {name: values.astype(object) for name, values in columns.items()},
    }

    def counted(data: Any, names: list[str] | None = None) -> dict[str, Any]:
        recorder = make_recorder(profile)
        recorder.record(data, names)
        document = recorder.document()
        assert document.pop("rows") == 40
        # Sums of floats may differ in the last digit.
        return {key: value for key, value in document.items() if not key.startswith("sum")}

    wanted = counted(columns)
    for name, form in forms.items():
        assert counted(form) == wanted, name
    assert counted(np.stack(list(numbers.values()), axis=1), list(numbers)) == counted(numbers)


@pytest.mark.parametrize(
    ("data", "names"), [(np.zeros((2, 2)), None), (np.zeros((2, 2)), ["a"]), (np.zeros(2), ["a"]), ([], None)]
)
def test_an_array_needs_a_name_for_each_column(data: Any, names: list[str] | None) -> None:
    """The order of columns is never guessed. A batch without rows is refused as well."""
    with pytest.raises(ValueError, match="must"):
        make_recorder(PEOPLE).record(data, names)


def test_records_may_lack_fields() -> None:
    recorder = make_recorder(PEOPLE)
    recorder.record([{"age": 30, "country": "de"}, {"country": "fr"}, {"age": 10**400}])
    document = recorder.document()

    assert (document["missing"], document["above"]) == ([1, 1], [1, 0])


@pytest.mark.parametrize(
    "value", ["2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC), np.datetime64("2026-03-01T12")]
)
def test_times_of_every_type_are_counted_alike(value: Any) -> None:
    """Texts, datetime objects and datetime64 are counted in the same bin; a number is `other`."""
    hours = np.array([f"2026-03-01T{hour:02d}" for hour in (6, 12, 18)], dtype="M8[h]")
    recorder = make_recorder(build_profile({"at": hours}, task="regression"))
    recorder.record({"at": [value]})
    recorder.record({"at": np.array([43_200.0, np.nan])})
    document = recorder.document()

    assert document["counts"] == [[0, 1, 0]]
    assert (document["other"], document["missing"]) == ([1], [1])


def test_a_coded_column_counts_like_its_values() -> None:
    """Each category is looked up once, however many rows there are."""
    recorder = make_recorder(PEOPLE)
    recorder.record({"country": SimpleNamespace(categories=["us", "fr", "de"], codes=np.array([2, 1, 0, -1, 2]))})
    document = recorder.document()

    assert document["counts"][1] == [2, 1, 0]
    assert (document["other"][1], document["missing"][1]) == (1, 1)


def test_arrays_of_other_dtypes_are_counted() -> None:
    """Integers, float32 and booleans count as numbers; texts do not."""
    recorder = make_recorder(PEOPLE)
    for column in (np.array([30], np.int8), np.array([30], np.float32), np.array([30], np.uint64), np.array(["30"])):
        recorder.record({"age": column})

    assert recorder.document()["counts"][0] == [0, 3, 0, 0, 0]
    assert recorder.document()["other"][0] == 1
