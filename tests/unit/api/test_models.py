"""The kinds as models: what they accept, what they refuse, and what they say when they do."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from perennate.api.documents.metric import Metric
from perennate.api.durations import parse_duration
from perennate.api.meta import validation
from perennate.api.v1alpha1 import DriftPolicy, ModelDeployment, TrainingJob

DIGEST = "sha256:" + "0123456789abcdef" * 4
ESTIMATOR = {"class": "sklearn.linear_model.LogisticRegression", "params": {"C": 0.5}}
TRAINING: dict[str, Any] = {
    "model": {"name": "rain"},
    "trainer": {"estimator": ESTIMATOR},
    "data": {"train": {"uri": "pvc://weather/rows.csv"}, "target": "rain"},
}
SERVING: dict[str, Any] = {"model": {"track": {"name": "rain"}}}
WATCHING: dict[str, Any] = {"targetRef": {"name": "rain"}}
TEMPLATE: dict[str, Any] = {"trainingJobTemplate": {"spec": TRAINING}}
KIND_OF: dict[str, tuple[Any, dict[str, Any]]] = {
    "TrainingJob": (TrainingJob, TRAINING),
    "ModelDeployment": (ModelDeployment, SERVING),
    "DriftPolicy": (DriftPolicy, WATCHING),
}

SECONDS = {"1h30m": 5400.0, "90s": 90.0, "250ms": 0.25, "5m": 300.0, "168h": 604800.0, "1m1s1ms": 61.001}
NO_DURATIONS = ["", "5", "5 m", "-5m", "1d", "5M", "1h 30m", "5m\n", "\u0665m"]

REFUSED: dict[str, tuple[str, tuple[str, ...], Any]] = {
    "an unknown field": ("TrainingJob", ("modle",), {}),
    "a wrong type": ("TrainingJob", ("seed",), "many"),
    "a seed below zero": ("TrainingJob", ("seed",), -1),
    "a seed of more than 32 bits": ("TrainingJob", ("seed",), 2**32),
    "a class that is not scikit-learn's": ("TrainingJob", ("trainer", "estimator", "class"), "os.system"),
    "a scikit-learn module without a class": ("TrainingJob", ("trainer", "estimator", "class"), "sklearn"),
    "a path for a class": ("TrainingJob", ("trainer", "estimator", "class"), "sklearn.linear_model.../x"),
    "a uri of an unknown scheme": ("TrainingJob", ("data", "train", "uri"), "ftp://host/rows.csv"),
    "a uri with a line break": ("TrainingJob", ("data", "train", "uri"), "pvc://weather/a\nb"),
    "a format that nobody reads": ("TrainingJob", ("data", "train", "format"), "xlsx"),
    "a hold-out of everything": ("TrainingJob", ("data", "holdout"), {"fraction": 1}),
    "a hold-out of nothing": ("TrainingJob", ("data", "holdout"), {"fraction": 0}),
    "an unknown metric": ("TrainingJob", ("evaluation",), {"metrics": ["beauty"]}),
    "a gate that is not a number": ("TrainingJob", ("evaluation",), {"gates": [{"metric": "auc", "min": "NaN"}]}),
    "a retry for ever": ("TrainingJob", ("backoffLimit",), 11),
    "a run without an end": ("TrainingJob", ("activeDeadlineSeconds",), 0),
    "a name with capitals": ("TrainingJob", ("model", "name"), "Rain"),
    "a name of another namespace": ("ModelDeployment", ("model", "track", "name"), "other/rain"),
    "a name that is too long": ("ModelDeployment", ("model", "track", "name"), "a" * 64),
    "replicas below zero": ("ModelDeployment", ("replicas",), -1),
    "an unknown promotion": ("ModelDeployment", ("model", "track", "promotion"), "Sometimes"),
    "a digest that is none": ("ModelDeployment", ("model", "pinned"), {"uri": "store://a/versions/b", "digest": "b"}),
    "a share above one": ("ModelDeployment", ("capture",), {"samplingRatio": 1.1}),
    "a quantity without an end": (
        "ModelDeployment",
        ("serving", "resources", "limits"),
        {"memory": "1" * 33},
    ),
    "a share that is infinite": ("ModelDeployment", ("capture",), {"samplingRatio": float("inf")}),
    "a deadline of a second": ("ModelDeployment", ("progressDeadlineSeconds",), 1),
    "a namespace in a reference": ("DriftPolicy", ("targetRef", "namespace"), "other"),
    "a target of another kind": ("DriftPolicy", ("targetRef", "kind"), "Deployment"),
    "a duration that is none": ("DriftPolicy", ("interval",), "soon"),
    "an evaluation without a pause": ("DriftPolicy", ("interval",), "0s"),
    "a scrape each millisecond": ("DriftPolicy", ("scrapeInterval",), "1ms"),
    "a window of no length": ("DriftPolicy", ("window",), "0h0m0s"),
    "a window of seconds": ("DriftPolicy", ("window",), "9s999ms"),
    "captured rows of no time": ("TrainingJob", ("data",), {"captured": {"modelDeployment": "a", "window": "0s"}}),
    "a file for each row": ("ModelDeployment", ("capture",), {"samplingRatio": 1, "flushInterval": "999ms"}),
    "rows that are gone at once": ("ModelDeployment", ("capture",), {"samplingRatio": 1, "retention": "0s"}),
    "a verdict from a handful of rows": ("DriftPolicy", ("minSamples",), 5),
    "a significance of zero": ("DriftPolicy", ("significance",), 0),
    "a tolerance below zero": ("DriftPolicy", ("triggers",), {"performance": {"metric": "mae", "tolerance": -1}}),
    "a metric that labels cannot give": ("DriftPolicy", ("triggers",), {"performance": {"metric": "r2"}}),
    "a metric that scores cannot give": ("DriftPolicy", ("estimatedPerformance",), {"metric": "precision"}),
    "a method that there is not": ("DriftPolicy", ("features",), [{"name": "age", "method": "cosine"}]),
    "a share of all": ("DriftPolicy", ("minDriftedFeatures",), "100%"),
    "a quorum of none": ("DriftPolicy", ("minDriftedFeatures",), 0),
    "a threshold of zero": ("DriftPolicy", ("features",), [{"name": "age", "threshold": 0}]),
    "a fault that there is not": ("DriftPolicy", ("brake",), {"dataFaults": ["late"]}),
    "a tolerance of data that is none": ("DriftPolicy", ("dataQuality",), {"tolerance": 0.001}),
}


def resource(kind: str, spec: dict[str, Any]) -> Any:
    """The parsed resource with this spec."""
    return KIND_OF[kind][0].model_validate({"metadata": {"name": "r"}, "spec": spec})


def with_field(spec: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A copy of the spec in which the field at `path` has this value."""
    head, *rest = path
    inner = with_field(spec.get(head, {}), tuple(rest), value) if rest else value
    return {**spec, head: inner}


@pytest.mark.parametrize("kind", KIND_OF)
def test_the_least_spec_is_enough(kind: str) -> None:
    """A field that has a right default need not be given, and a parsed spec writes back what was given."""
    spec = KIND_OF[kind][1]
    parsed = resource(kind, spec)
    assert resource(kind, parsed.spec.to_document()) == parsed


@pytest.mark.parametrize(("kind", "path", "value"), REFUSED.values(), ids=REFUSED)
def test_a_spec_is_refused_with_the_field_that_is_wrong(kind: str, path: tuple[str, ...], value: Any) -> None:
    """The operator parses by the same bounds as the schema, and its error names the field."""
    with pytest.raises(ValidationError) as caught:
        resource(kind, with_field(KIND_OF[kind][1], path, value))
    named = {tuple(str(step) for step in error["loc"])[: len(path) + 1] for error in caught.value.errors()}
    assert ("spec", *path) in named


LEAST: dict[str, tuple[str, dict[str, Any]]] = {
    "times of a policy": ("DriftPolicy", {"interval": "1s", "scrapeInterval": "1000ms", "window": "10s"}),
    "scrapes as long as the window": ("DriftPolicy", {"scrapeInterval": "1m", "window": "60s"}),
    "no pause between retrainings": ("DriftPolicy", {"retrain": {**TEMPLATE, "cooldown": "0s"}}),
    "drift that need not last": ("DriftPolicy", {"triggers": {"drift": {"duration": "0s"}}}),
    "times of a capture": (
        "ModelDeployment",
        {"capture": {"samplingRatio": 1, "flushInterval": "1s", "retention": "1m"}},
    ),
    "captured rows": ("TrainingJob", {"data": {"captured": {"modelDeployment": "a", "window": "10s"}}}),
}


@pytest.mark.parametrize(("kind", "spec"), LEAST.values(), ids=LEAST)
def test_the_least_that_is_allowed_is_taken(kind: str, spec: dict[str, Any]) -> None:
    """A bound is part of what is allowed, and what may be zero stays so."""
    assert resource(kind, {**KIND_OF[kind][1], **spec})


def test_scrapes_that_do_not_fit_into_the_window_are_refused() -> None:
    """The operator holds the rule too: of an object that is older than the rule it says what is wrong."""
    with pytest.raises(ValidationError, match="scrapeInterval must not be longer than window, got 1m and 30s"):
        resource("DriftPolicy", {**WATCHING, "scrapeInterval": "1m", "window": "30s"})


def test_a_duration_below_its_least_is_told_what_is_allowed() -> None:
    with pytest.raises(ValidationError, match="must be a duration of at least 10s, got 1ms"):
        resource("DriftPolicy", {**WATCHING, "window": "1ms"})


@pytest.mark.parametrize("kind", KIND_OF)
def test_a_status_of_a_newer_operator_is_read(kind: str) -> None:
    """After a downgrade the older operator passes over status fields that it does not know."""
    status = {"observedGeneration": 3, "invented": {"later": True}}
    parsed = KIND_OF[kind][0].model_validate(
        {"metadata": {"name": "r", "managedFields": []}, "spec": KIND_OF[kind][1], "status": status}
    )
    assert parsed.status.observed_generation == 3


def test_specs_are_frozen() -> None:
    parsed = resource("TrainingJob", TRAINING)
    with pytest.raises(ValidationError, match="frozen"):
        parsed.spec.seed = 5


@pytest.mark.parametrize(("text", "want"), SECONDS.items())
def test_a_duration_is_read_in_seconds(text: str, want: float) -> None:
    """Durations are those of the Gateway API: hours, minutes, seconds, milliseconds."""
    assert parse_duration(text) == pytest.approx(want)


@pytest.mark.parametrize("text", NO_DURATIONS)
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="such as 1h30m, 90s, 250ms"):
        parse_duration(text)


def test_errors_are_better_when_smaller() -> None:
    """A metric knows its direction; losses and errors fall as a model improves."""
    falling = {metric for metric in Metric if not metric.greater_is_better}
    assert falling == {Metric.LOG_LOSS, Metric.BRIER, Metric.MAE, Metric.RMSE}


def test_a_rule_names_its_field_only_if_it_has_one() -> None:
    """The API server refuses an empty fieldPath."""
    assert validation("true", "m") == {"rule": "true", "message": "m"}
    assert validation("true", "m", field_path=".a")["fieldPath"] == ".a"
