"""The input schema of a new version against the requests that the version in service accepts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from perennate.api.documents.model_manifest import FeatureSchema
from perennate.trainer.evaluation.compatibility import AcceptedRequests, Compatibility, compare_schemas

SERVED = AcceptedRequests({"x": "number", "weekend": "boolean"}, nullable={"weekend"})
ROWS = pd.DataFrame({"x": np.arange(40.0), "weekend": [True, False] * 20})
TARGET = (ROWS["x"] > 20) ^ ROWS["weekend"]


def schema(*, required: bool = True, **features: str) -> Compatibility:
    """The schema of a new version; a type that ends with `?` may be null."""
    found = (
        FeatureSchema.model_validate({"name": name, "type": kind.rstrip("?"), "nullable": kind.endswith("?")})
        for name, kind in features.items()
    )
    return Compatibility(tuple(found), (), required)


def compare(own: Compatibility, accepted: AcceptedRequests = SERVED, model: Any = None) -> Compatibility:
    """Compare with a model that is fitted on the rows, by default one that predicts missing values."""
    fitted = (HistGradientBoostingClassifier(max_iter=2) if model is None else model).fit(ROWS, TARGET)
    return compare_schemas(own, accepted, fitted, ROWS.head(3))


COMPATIBLE: dict[str, Compatibility] = {
    "the same": schema(x="number", weekend="boolean?"),
    "another order": schema(weekend="boolean?", x="number"),
    "a feature less": schema(weekend="boolean?"),
    "null where it was refused": schema(x="number?", weekend="boolean?"),
    "no missing value in the new rows": schema(x="number", weekend="boolean"),
}


@pytest.mark.parametrize("case", COMPATIBLE)
def test_what_was_accepted_is_accepted(case: str) -> None:
    found = compare(COMPATIBLE[case])
    assert (found.incompatible, found.failures) == ((), ())
    assert {feature.name: feature.nullable for feature in found.features}["weekend"] is True


INCOMPATIBLE: dict[str, tuple[Compatibility, tuple[str, ...]]] = {
    "a new feature": (schema(x="number", weekend="boolean?", y="number"), ("'y' is a new feature",)),
    "a new feature that may be null": (schema(x="number", weekend="boolean", y="string?"), ("'y' is a new feature",)),
    "a renamed feature": (schema(X="number", weekend="boolean"), ("'X' is a new feature",)),
    "another type": (schema(x="number", weekend="number?"), ("'weekend' must be a number and was a boolean",)),
    "text": (schema(x="string", weekend="boolean?"), ("'x' must be a string and was a number",)),
    "several": (
        schema(x="boolean", weekend="string?", y="number"),
        (
            "'y' is a new feature",
            "'x' must be a boolean and was a number",
            "'weekend' must be a string and was a boolean",
        ),
    ),
}


@pytest.mark.parametrize("case", INCOMPATIBLE)
def test_what_would_be_refused_is_named(case: str) -> None:
    own, wanted = INCOMPATIBLE[case]
    rows = ROWS.assign(y=1.0, X=1.0)[[feature.name for feature in own.features]]
    fitted = HistGradientBoostingClassifier(max_iter=2).fit(rows, TARGET)
    found = compare_schemas(own, SERVED, fitted, rows.head(3))
    assert found.incompatible == wanted
    assert len(found.failures) == 1
    assert found.failures[0].startswith("compatibility: the version in service accepts requests that the new one would")
    assert all(text in found.failures[0] for text in wanted)


@pytest.mark.parametrize(
    ("model", "accepts"),
    [
        (HistGradientBoostingClassifier(max_iter=2), True),
        (RandomForestClassifier(n_estimators=2), True),
        (make_pipeline(SimpleImputer(), LogisticRegression()), True),
        (make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()), True),
        (LogisticRegression(), False),
        (make_pipeline(OneHotEncoder(), LogisticRegression()), False),
    ],
)
def test_null_stays_allowed_if_the_model_predicts_without_a_value(model: Any, accepts: bool) -> None:
    """The new rows have no missing value, so that only a prediction shows what the model does with one."""
    found = compare(schema(x="number", weekend="boolean"), model=model)
    assert found.incompatible == (() if accepts else ("'weekend' must not be null",))
    assert [feature.nullable for feature in found.features] == [False, accepts]


@pytest.mark.parametrize(
    ("strict", "wanted"),
    [(False, ()), (True, ("'x' is no feature any more, and serving.strict refuses other fields",))],
)
def test_a_dropped_feature_matters_only_to_strict_pods(strict: bool, wanted: tuple[str, ...]) -> None:
    rows = ROWS[["weekend"]]
    fitted = HistGradientBoostingClassifier(max_iter=2).fit(rows, TARGET)
    found = compare_schemas(schema(weekend="boolean"), replace(SERVED, strict=strict), fitted, rows.head(3))
    assert found.incompatible == wanted


def test_warn_reports_and_does_not_fail() -> None:
    found = compare(schema(required=False, x="number", weekend="number?"))
    assert found.failures == ()
    assert [warning.reason for warning in found.warnings] == ["IncompatibleSchema"]
    assert found.warnings[0].message.endswith("'weekend' must be a number and was a boolean")


def test_many_differences_are_counted() -> None:
    rows = ROWS.assign(**{f"f{number}": 1.0 for number in range(9)})
    kinds: dict[str, Any] = {str(name): "number" for name in rows}
    own = schema(**kinds)
    fitted = HistGradientBoostingClassifier(max_iter=2).fit(rows, TARGET)
    failure = compare_schemas(own, SERVED, fitted, rows.head(3)).failures[0]
    assert "'f0' is a new feature, 'f1' is a new feature, 'f2' is a new feature, and 7 more; keep" in failure
