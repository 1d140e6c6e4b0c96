"""Values that only hold-out rows have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from perennate.trainer.rehearsal.unseen import KEPT, LONGEST, find_unseen, read_unseen, trials, write_unseen

CASES: dict[str, tuple[list[Any], list[Any], list[Any]]] = {
    # name: training rows, hold-out rows, unseen
    "the same values": (["a", "b"], ["b", "a", "b"], []),
    "a new category": (["a", "b"], ["b", "c"], ["c"]),
    "a missing value": ([1.0, 2.0], [1.0, None], [None]),
    "a value that is missing in training too": ([1.0, None], [1.0, None], []),
    "a missing value and a new one": (["a", "b"], [None, "c"], [None, "c"]),
    "a number out of the range": ([1.0, 2.0, 3.0], [2.0, -5.0], [-5.0]),
    "a number inside the range": ([1.0, 2.0, 3.0], [2.5, 1.0], [2.5]),
    "the ends come first": ([0.0], [1.0, 2.0, 9.0, -3.0, 4.0], [-3.0, 9.0, 1.0]),
    "a boolean": ([True, True], [True, False], [False]),
    "long text is left out": (["a", "b"], ["x" * (LONGEST + 1), "c"], ["c"]),
}


@pytest.mark.parametrize("case", CASES)
def test_unseen_values_are_those_that_no_training_row_has(case: str) -> None:
    train, holdout, want = CASES[case]
    found = find_unseen(pa.table({"x": train}), pa.table({"x": holdout}), ["x"])
    assert found == ({"x": want} if want else {})


def test_at_most_three_values_are_kept() -> None:
    found = find_unseen(pa.table({"x": ["a"]}), pa.table({"x": [f"new {n}" for n in range(50)]}), ["x"])
    assert len(found["x"]) == KEPT


def test_the_file_keeps_the_values(tmp_path: Path) -> None:
    unseen: dict[str, list[Any]] = {"place": ["Köln", None], "size": [-1.5], "open": [False]}
    write_unseen(tmp_path / "unseen.json", unseen)
    assert read_unseen(tmp_path / "unseen.json") == unseen


def test_each_trial_changes_one_value_of_an_accepted_row() -> None:
    """So that a failure is a failure of this value alone."""
    row = pd.DataFrame({"place": ["Bonn"], "size": [2.0], "open": [True]})
    tried = trials(row, {"place": ["Ulm", None], "size": [None, 7.0], "open": [None]})
    assert [name for name, _ in tried] == ["place", "size", "open"]
    places, sizes, flags = (rows for _, rows in tried)
    assert places["place"].tolist() == ["Ulm", None]
    assert places[["size", "open"]].to_numpy().tolist() == [[2.0, True]] * 2
    assert np.isnan(sizes["size"][0])
    assert sizes["size"].tolist()[1] == 7.0
    assert flags["open"].tolist() == [None]
    assert row["place"].tolist() == ["Bonn"]
