"""Which rows and values a model refuses, found by trial."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import CategoricalNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from perennate.artifacts import load_verified
from perennate.serving.model.diagnosis import cause_of, failing_rows, find_refused
from perennate.serving.model.model import BatchPrediction, ServedModel
from perennate.serving.model.schema import Batch
from tests.support.pods.serving import Published, publish

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")


def frame_of_codes() -> tuple[pd.DataFrame, list[int]]:
    """Two text categories, a code from 0 to 7 without 4, and a number."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "sky": rng.choice(["clear", "cloudy", "fog"], 400),
            "wind": rng.choice(["north", "south"], 400),
            "code": rng.choice([0.0, 1.0, 2.0, 7.0], 400),
            "x": rng.normal(size=400),
        }
    )
    return frame, [int(value) for value in (frame["sky"] == "fog") | (frame["x"] > 1)]


def served(root: Path, estimator: Any, columns: list[str]) -> ServedModel:
    """The model of some columns of `frame_of_codes`, as a pod loads it."""
    frame, labels = frame_of_codes()
    version: Published = publish(root, estimator, frame[columns], labels, model="codes")
    return ServedModel(load_verified(version.store.read("codes", version.digest)), version.digest)


def one_hot() -> Any:
    """An encoder that refuses unknown categories, which is the default of scikit-learn."""
    encode = make_column_transformer((OneHotEncoder(), ["sky", "wind", "code"]), remainder="passthrough")
    return make_pipeline(encode, LogisticRegression())


def ordinal() -> Any:
    """The same for a forest, which computes with float32."""
    encode = make_column_transformer((OrdinalEncoder(), ["sky", "wind", "code"]), remainder="passthrough")
    return make_pipeline(encode, RandomForestClassifier(5, random_state=0))


GOOD = {"sky": "fog", "wind": "north", "code": 7, "x": 0.5}
COLUMNS = list(GOOD)
NEW = ": it did not occur in training"
OUTSIDE = ": it is outside the range of training"
CASES: dict[str, tuple[Callable[[], Any], dict[str, Any], list[str]]] = {
    "category": (one_hot, {"sky": "nova"}, [f"sky: the model does not accept this string{NEW}"]),
    "category in a forest": (ordinal, {"sky": "nova"}, [f"sky: the model does not accept this string{NEW}"]),
    "another case": (one_hot, {"sky": "Fog"}, [f"sky: the model does not accept this string{NEW}"]),
    "empty text": (one_hot, {"wind": ""}, [f"wind: the model does not accept this string{NEW}"]),
    "code between known ones": (one_hot, {"code": 4}, ["code: the model does not accept this number"]),
    "code above": (ordinal, {"code": 8}, [f"code: the model does not accept this number{OUTSIDE}"]),
    "code that is not whole": (one_hot, {"code": 1.5}, ["code: the model does not accept this number"]),
    "too large for float32": (ordinal, {"x": 1e39}, [f"x: the model does not accept this number{OUTSIDE}"]),
    "two values": (
        one_hot,
        {"sky": "nova", "code": -1},
        [
            f"sky: the model does not accept this string{NEW}",
            f"code: the model does not accept this number{OUTSIDE}",
        ],
    ),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[Callable[[], Any], ServedModel]:
    """Both models of all columns."""
    return {make: served(tmp_path_factory.mktemp("store"), make(), COLUMNS) for make in (one_hot, ordinal)}


@pytest.mark.parametrize(("make", "change", "want"), CASES.values(), ids=CASES.keys())
def test_the_refused_value_is_named(
    make: Callable[[], Any],
    change: dict[str, Any],
    want: list[str],
    models: dict[Callable[[], Any], ServedModel],
) -> None:
    """Row and feature are found in a batch of good rows, and the message does not repeat the value."""
    model = models[make]
    batch = model.schema.read([GOOD] * 20 + [{**GOOD, **change}] + [GOOD] * 12)
    assert list(map(str, find_refused(model, batch))) == [f"records[20].{text}" for text in want]


def test_categorical_bayes_with_an_unknown_code(tmp_path: Path) -> None:
    """It raises IndexError for a code above the largest of training."""
    model = served(tmp_path, CategoricalNB(), ["code"])
    batch = model.schema.read([{"code": 7}, {"code": 9}, {"code": 0}])
    assert [str(value) for value in find_refused(model, batch, name="rows")] == [
        f"rows[1].code: the model does not accept this number{OUTSIDE}"
    ]


def test_all_rows_refused_gives_the_first_of_them(models: dict[Callable[[], Any], ServedModel]) -> None:
    model = models[one_hot]
    found = find_refused(model, model.schema.read([{**GOOD, "sky": "nova"}] * 1000))
    assert [value.index for value in found] == list(range(11))


class Broken(ServedModel):
    """A model whose predictions fail if a condition on the batch holds."""

    def __init__(self, model: ServedModel, fails: Callable[[Batch], bool], error: type[Exception] = ValueError) -> None:
        self.__dict__.update(model.__dict__)
        self._fails = fails
        self._error = error

    def predict(self, batch: Batch) -> BatchPrediction:
        """Raise if the condition holds, else predict."""
        if self._fails(batch):
            raise self._error("nova")
        return super().predict(batch)


def test_no_row_is_blamed_for_a_model_that_always_fails(models: dict[Callable[[], Any], ServedModel]) -> None:
    broken = Broken(models[one_hot], lambda batch: True)
    assert find_refused(broken, broken.schema.read([GOOD])) == []


def test_no_row_is_blamed_if_each_alone_succeeds(models: dict[Callable[[], Any], ServedModel]) -> None:
    broken = Broken(models[one_hot], lambda batch: batch.rows > 5)
    assert find_refused(broken, broken.schema.read([GOOD] * 64)) == []


def test_values_that_fail_only_together_blame_the_row(models: dict[Callable[[], Any], ServedModel]) -> None:
    def both(batch: Batch) -> bool:
        return bool(np.any((batch.columns["x"] > 100) & (batch.columns["code"] == 0)))

    broken = Broken(models[one_hot], both)
    batch = broken.schema.read([GOOD, {**GOOD, "x": 200, "code": 0}, {**GOOD, "x": 200}])
    assert list(map(str, find_refused(broken, batch))) == [
        "records[1]: the model does not accept these values together"
    ]


def test_too_little_memory_is_not_the_fault_of_a_row(models: dict[Callable[[], Any], ServedModel]) -> None:
    broken = Broken(models[one_hot], lambda batch: batch.rows == 3, MemoryError)
    with pytest.raises(MemoryError):
        find_refused(broken, broken.schema.read([GOOD] * 3))


@pytest.mark.parametrize("bad", [[], [0], [9999], [5000], list(range(0, 10_000, 1001)), list(range(10_000))])
def test_halving_finds_the_first_rows_with_few_predictions(bad: list[int], models: dict[Any, ServedModel]) -> None:
    """The number of predicted rows is at most seven times the rows of the batch."""
    batch, predicted = models[one_hot].schema.read([{**GOOD, "x": row} for row in range(10_000)]), []

    def fails(part: Batch) -> bool:
        predicted.append(part.rows)
        return bool(np.isin(part.columns["x"], bad).any())

    assert failing_rows(fails, batch, 11) == bad[:11]
    assert sum(predicted) <= 7 * batch.rows


def test_the_cause_of_an_exception_holds_no_value() -> None:
    """Messages of scikit-learn repeat values; the log has type and place instead."""
    with pytest.raises(ValueError, match="nova") as caught:
        OneHotEncoder().fit([["a"]]).transform([["nova"]])
    assert cause_of(caught.value).startswith("ValueError in _transform (preprocessing/_encoders.py:")
    assert cause_of(ValueError("nova")) == "ValueError"
