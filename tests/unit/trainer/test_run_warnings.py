"""Warnings about rows and training: each kind is found, and ordinary data cause none."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn import datasets
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.neural_network import MLPClassifier

from perennate.api.documents.stage_result import WARNING_LENGTH, RunWarning, WarningReason
from perennate.trainer.data.columns import collapsed_integers
from perennate.trainer.data.selection import Columns
from perennate.trainer.run_warnings.data import data_warnings, positive_class_warning
from perennate.trainer.run_warnings.fingerprints import fingerprints
from perennate.trainer.run_warnings.fitting import convergence_warnings
from perennate.trainer.tasks import Task

ROWS = 400


def table(frame: pd.DataFrame) -> pa.Table:
    """The rows as the prepare stage writes them."""
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()


def split(frame: pd.DataFrame, seed: int = 0) -> tuple[pa.Table, pa.Table]:
    """Three quarters of the rows for training, the others held out."""
    shuffled = frame.sample(frac=1, random_state=seed)
    border = len(frame) * 3 // 4
    return table(shuffled.head(border)), table(shuffled.tail(len(frame) - border))


def find(frame: pd.DataFrame, task: Task = "classification", **options: Any) -> dict[str, str]:
    """Message by reason for rows with the column `target`."""
    columns = Columns("target", tuple(name for name in frame.columns if name != "target"), options.pop("index", ()))
    train, holdout = options.pop("parts", split(frame))
    found = data_warnings(train, holdout, columns, task, collapsed=options.pop("collapsed", ()))
    return {warning.reason: warning.message for warning in found}


def rows(seed: int = 1, count: int = ROWS, **columns: Any) -> pd.DataFrame:
    """Two random features, and random labels."""
    generator = np.random.default_rng(seed)
    first, second = generator.normal(size=(2, count))
    given: dict[str, Any] = {"x": first, "y": second, "target": generator.integers(0, 2, count)}
    return pd.DataFrame({**given, **columns})


def labels(seed: int = 1) -> Any:
    """The labels of `rows`."""
    return rows(seed)["target"].to_numpy()


REAL = {
    "iris": (datasets.load_iris, "classification"),
    "wine": (datasets.load_wine, "classification"),
    "tumours": (datasets.load_breast_cancer, "classification"),
    "diabetes": (datasets.load_diabetes, "regression"),
}


@pytest.mark.parametrize("name", REAL)
def test_ordinary_data_cause_no_warning(name: str) -> None:
    """The best single feature of these data predicts 95 % (iris), 75 %, 89 % and nothing."""
    load, task = REAL[name]
    frame = load(as_frame=True).frame
    found = find(frame.drop(columns=[name for name in frame if frame[name].nunique() == 1]), task)  # type: ignore[arg-type]
    assert found == {}


def test_random_features_cause_no_warning() -> None:
    """200 random features of 60 rows, twenty of them in the rarer class."""
    generator = np.random.default_rng(4)
    frame = pd.DataFrame(generator.normal(size=(60, 200)), columns=[f"f{number}" for number in range(200)])
    assert find(frame.assign(target=generator.permutation(np.repeat([0, 1], [40, 20])))) == {}


CATEGORIES = np.random.default_rng(7)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": CATEGORIES.integers(0, 3, ROWS), "target": CATEGORIES.integers(0, 2, ROWS)}),
        pd.DataFrame(
            {
                "colour": CATEGORIES.choice(["red", "blue", "green"], ROWS),
                "size": np.array(["s", "m", None])[CATEGORIES.integers(0, 3, ROWS)],
                "sale": CATEGORIES.random(ROWS) < 0.5,
                "target": CATEGORIES.integers(0, 2, ROWS),
            }
        ),
    ],
)
def test_rows_of_a_few_categories_are_equal_by_chance(frame: pd.DataFrame) -> None:
    assert find(frame) == {}


def test_duplicate_rows_across_the_split_are_counted() -> None:
    """Random labels, each row four times: a model that remembers the rows has an accuracy near 1."""
    found = find(pd.concat([rows()] * 4))
    assert set(found) == {WarningReason.DUPLICATE_ROWS}
    assert "of 400 hold-out rows are also training rows, with equal features and label" in found["DuplicateRows"]


@pytest.mark.parametrize(("copies", "warned"), [(1, False), (5, True)])
def test_a_few_duplicates_do_not_matter(copies: int, warned: bool) -> None:
    """Below 1 % of the hold-out rows, duplicates change a metric by less than 0.01."""
    train, holdout = split(rows(count=800))
    holdout = pa.concat_tables([holdout, train.slice(0, copies)])
    found = find(rows(count=800), parts=(train, holdout))
    assert ("DuplicateRows" in found) == warned
    assert not warned or found["DuplicateRows"].startswith("5 of 205 hold-out rows")


def test_equal_features_with_another_label_are_no_duplicates() -> None:
    frame = rows()
    assert find(pd.concat([frame, frame.assign(target=1 - frame["target"])])) == {}


PERFECT: dict[str, Any] = {
    "a copy of the label": lambda y: y.astype(float),
    "a copy as text": lambda y: np.where(y == 1, "yes", "no").astype(object),
    "a copy as a boolean": lambda y: y == 0,
    "a value on one side of a threshold": lambda y: y + np.random.default_rng(0).random(len(y)) * 0.9,
    "a value inside an interval": lambda y: np.where(y == 1, 0.5, 5 * np.random.default_rng(0).choice([-1, 1], len(y))),
    "a value that is missing for one class": lambda y: np.where(
        y == 1, np.nan, np.random.default_rng(0).random(len(y))
    ),
    "categories of one class each": lambda y: np.array(
        [f"{label}{number % 7}" for number, label in enumerate(y)], dtype=object
    ),
}


@pytest.mark.parametrize("leak", PERFECT)
def test_a_feature_that_alone_predicts_the_label_is_named(leak: str) -> None:
    found = find(rows(leak=PERFECT[leak](labels())))
    assert set(found) == {WarningReason.PERFECT_FEATURE}
    assert found["PerfectFeature"].startswith("column 'leak' alone predicts the label almost perfectly (")


@pytest.mark.parametrize("rare", [0.05, 0.5])
def test_the_number_of_a_sorted_row_predicts_the_label(rare: float) -> None:
    """As the index of a table that was sorted by label does."""
    frame = rows(target=np.repeat([0, 1], [round(ROWS * (1 - rare)), round(ROWS * rare)]), row=np.arange(float(ROWS)))
    assert "PerfectFeature" in find(frame)


def test_an_id_of_rows_in_random_order_predicts_nothing() -> None:
    assert find(rows(row=np.arange(float(ROWS)))) == {}
    assert find(rows(key=np.array([f"id{number}" for number in range(ROWS)], dtype=object))) == {}


def test_a_target_in_other_units_is_named() -> None:
    celsius = np.random.default_rng(3).normal(15, 8, ROWS)
    found = find(rows(fahrenheit=celsius * 9 / 5 + 32, target=celsius), "regression")
    assert "column 'fahrenheit' alone determines the target" in found["PerfectFeature"]


def test_a_good_measurement_of_a_number_is_no_copy() -> None:
    """With noise of 5 % of its spread, 0.25 % of the variance is left."""
    truth = np.random.default_rng(3).normal(size=ROWS)
    noisy = truth + 0.05 * np.random.default_rng(4).normal(size=ROWS)
    assert find(rows(sensor=noisy, target=truth), "regression") == {}


def test_constant_columns_are_named() -> None:
    """A column with missing values is not constant: that a value is missing can matter."""
    found = find(rows(a=1.0, b=["x"] * ROWS, c=[True] * ROWS, d=[1.0, None] * (ROWS // 2)))
    assert set(found) == {WarningReason.CONSTANT_COLUMN}
    assert found["ConstantColumn"] == "each of the columns 'a', 'b', 'c' has one value in all 300 training rows"


def test_equal_columns_are_named() -> None:
    """Missing values are equal to each other; columns of other types or spellings are not duplicates."""
    base = rows()
    x = np.where(base["x"] > 1.5, np.nan, base["x"])
    names = np.where(base["y"] > 0, "high", "low").astype(object)
    other = np.where(base["y"] > 0, "HIGH", "LOW").astype(object)
    flag = (base["y"] > 1).to_numpy()
    found = find(rows(x=x, again=x, name=names, name2=names.copy(), name3=other, flag=flag, bit=flag.astype(float)))
    assert set(found) == {WarningReason.DUPLICATE_COLUMN}
    assert found["DuplicateColumn"].startswith("in every row, 'again' equals 'x', 'name2' equals 'name'; one")


COLLIDING: dict[str, tuple[pa.Array, bool]] = {
    "neighbours above 2^53": (pa.array([2**60, 2**60 + 1, 5]), True),
    "unsigned": (pa.array([2**63, 2**63 + 1, 5], pa.uint64()), True),
    "negative": (pa.array([-(2**60), -(2**60) - 1, None]), True),
    "decimals": (pa.array([2**60, 2**60 + 1]).cast(pa.decimal128(25)), True),
    "categories of integers": (pa.array([2**60, 2**60 + 1]).dictionary_encode(), True),
    "large but apart": (pa.array([2**60, 2**60 + 1024, 5]), False),
    "small": (pa.array([2**53, 2**53 - 1]), False),
    "repeated": (pa.array([2**60, 2**60]), False),
    "floats": (pa.array([2.0**60, 1.5]), False),
    "text": (pa.array(["1152921504606846976"]), False),
    "no values": (pa.array([None, None], pa.int64()), False),
}


@pytest.mark.parametrize("case", COLLIDING)
def test_integers_that_float64_cannot_tell_apart_are_found(case: str) -> None:
    values, wanted = COLLIDING[case]
    assert collapsed_integers(pa.chunked_array([values])) == wanted


def test_columns_that_were_left_out_or_lose_digits_are_named() -> None:
    found = find(rows(), index=("",), collapsed=("customer",))
    assert found["IndexColumn"].startswith("a column without a name looks like an index that pandas wrote")
    assert found["IntegersCollide"].startswith("column 'customer' holds integers above 2^53")


def test_messages_name_columns_within_the_bound_of_the_status() -> None:
    """A hundred columns with long names."""
    names: dict[str, Any] = {f"{number} {'long name ' * 12}": 1.0 for number in range(100)}
    message = find(rows(**names))["ConstantColumn"]
    assert len(message) <= WARNING_LENGTH
    assert "and 97 more has one value" in message


CANARY = "k7-canary"


def test_messages_contain_no_value() -> None:
    """Rows full of one word, with every kind of warning at once."""
    frame = rows(
        constant=[CANARY] * ROWS, a=[f"{CANARY}-{n}" for n in range(ROWS)], leak=np.where(labels(), CANARY, "")
    )
    frame["b"] = frame["a"]
    found = find(pd.concat([frame] * 3), collapsed=("a",), index=("i",))
    assert set(found) >= {"ConstantColumn", "DuplicateColumn", "DuplicateRows", "PerfectFeature"}
    assert CANARY not in str(found)


@pytest.mark.parametrize(
    ("given", "classes", "warned"),
    [(None, ("a", "b"), True), ("a", ("a", "b"), False), (None, ("0", "1"), False), (None, ("a", "b", "c"), False)],
)
def test_a_missing_positive_class_is_a_warning(given: str | None, classes: tuple[str, ...], warned: bool) -> None:
    assert bool(positive_class_warning(given, classes)) == warned


def test_hashes_do_not_depend_on_chunks_and_zeros_and_nans_are_equal() -> None:
    values = pa.array([0.0, -0.0, float("nan"), None, 1.0])
    texts = pa.array(["a", "a", "b", "b", None])
    whole = fingerprints(pa.table({"a": values, "b": texts})).rows
    parts = pa.concat_tables([pa.table({"a": values[:2], "b": texts[:2]}), pa.table({"a": values[2:], "b": texts[2:]})])
    assert fingerprints(parts).rows.tolist() == whole.tolist()
    assert whole[0] == whole[1]
    assert whole[2] == whole[3]
    assert len(set(whole.tolist())) == 3


UNCONVERGED: dict[str, Any] = {
    "LogisticRegression": LogisticRegression(max_iter=1),
    "MLPClassifier": MLPClassifier(max_iter=5, random_state=0),
    "Lasso": Lasso(alpha=1e-9, max_iter=1),
}


@pytest.mark.parametrize("name", UNCONVERGED)
def test_a_solver_that_does_not_converge_is_one_warning(name: str) -> None:
    """All warnings of scikit-learn still reach the log, and the message holds no number from the data."""
    features = np.random.default_rng(0).normal(size=(50, 8)) * 123.4
    target = (features @ np.arange(8) > 0).astype(int)
    with warnings.catch_warnings(record=True) as logged:
        warnings.simplefilter("always")
        with convergence_warnings(f"sklearn.{name}") as found:
            UNCONVERGED[name].fit(features, target)
    assert [warning.reason for warning in found] == [WarningReason.NOT_CONVERGED]
    assert found[0].message.startswith(f"sklearn.{name} did not converge")
    assert logged
    assert not set("0123456789") & set(found[0].message.partition(": ")[2])


def test_other_warnings_are_not_collected() -> None:
    found: list[RunWarning]
    with pytest.warns(UserWarning, match="something else"), convergence_warnings("sklearn.X") as found:
        warnings.warn("something else", UserWarning, stacklevel=1)
    assert found == []
