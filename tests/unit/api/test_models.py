"""The models of the three kinds: valid specs, invalid specs, and the errors for them."""

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
    "a class that is a path": ("TrainingJob", ("trainer", "estimator", "class"), "sklearn.linear_model.../x"),
    "a uri of an unknown scheme": ("TrainingJob", ("data", "train", "uri"), "ftp://host/rows.csv"),
    "a uri with a line break": ("TrainingJob", ("data", "train", "uri"), "pvc://weather/a\nb"),
    "an unsupported file format": ("TrainingJob", ("data", "train", "format"), "xlsx"),
    "a hold-out of all rows": ("TrainingJob", ("data", "holdout"), {"fraction": 1}),
    "a hold-out of no rows": ("TrainingJob", ("data", "holdout"), {"fraction": 0}),
    "an unknown metric": ("TrainingJob", ("evaluation",), {"metrics": ["beauty"]}),
    "a gate that is not a number": ("TrainingJob", ("evaluation",), {"gates": [{"metric": "auc", "min": "NaN"}]}),
    "more retries than allowed": ("TrainingJob", ("backoffLimit",), 11),
    "a deadline of zero": ("TrainingJob", ("activeDeadlineSeconds",), 0),
    "a name with capitals": ("TrainingJob", ("model", "name"), "Rain"),
    "a name with a namespace": ("ModelDeployment", ("model", "track", "name"), "other/rain"),
    "a name that is too long": ("ModelDeployment", ("model", "track", "name"), "a" * 64),
    "replicas below zero": ("ModelDeployment", ("replicas",), -1),
    "an unknown promotion": ("ModelDeployment", ("model", "track", "promotion"), "Sometimes"),
    "an invalid digest": ("ModelDeployment", ("model", "pinned"), {"uri": "store://a/versions/b", "digest": "b"}),
    "a sampling ratio above one": ("ModelDeployment", ("capture",), {"samplingRatio": 1.1}),
    "a quantity that is too long": (
        "ModelDeployment",
        ("serving", "resources", "limits"),
        {"memory": "1" * 33},
    ),
    "an infinite sampling ratio": ("ModelDeployment", ("capture",), {"samplingRatio": float("inf")}),
    "a progress deadline of one second": ("ModelDeployment", ("progressDeadlineSeconds",), 1),
    "a namespace in a reference": ("DriftPolicy", ("targetRef", "namespace"), "other"),
    "a target of another kind": ("DriftPolicy", ("targetRef", "kind"), "Deployment"),
    "an invalid duration": ("DriftPolicy", ("interval",), "soon"),
    "an interval of zero": ("DriftPolicy", ("interval",), "0s"),
    "a scrape interval of one millisecond": ("DriftPolicy", ("scrapeInterval",), "1ms"),
    "a window of zero": ("DriftPolicy", ("window",), "0h0m0s"),
    "a window just below the minimum": ("DriftPolicy", ("window",), "9s999ms"),
    "captured rows with a window of zero": (
        "TrainingJob",
        ("data",),
        {"captured": {"modelDeployment": "a", "window": "0s"}},
    ),
    "a flush interval below the minimum": (
        "ModelDeployment",
        ("capture",),
        {"samplingRatio": 1, "flushInterval": "999ms"},
    ),
    "a retention of zero": ("ModelDeployment", ("capture",), {"samplingRatio": 1, "retention": "0s"}),
    "too few samples for a verdict": ("DriftPolicy", ("minSamples",), 5),
    "a significance of zero": ("DriftPolicy", ("significance",), 0),
    "a tolerance below zero": ("DriftPolicy", ("triggers",), {"performance": {"metric": "mae", "tolerance": -1}}),
    "a trigger metric that labels cannot provide": ("DriftPolicy", ("triggers",), {"performance": {"metric": "r2"}}),
    "an estimated metric that scores cannot provide": (
        "DriftPolicy",
        ("estimatedPerformance",),
        {"metric": "precision"},
    ),
    "an unknown drift method": ("DriftPolicy", ("features",), [{"name": "age", "method": "cosine"}]),
    "a quorum of all features as a percentage": ("DriftPolicy", ("minDriftedFeatures",), "100%"),
    "a quorum of zero": ("DriftPolicy", ("minDriftedFeatures",), 0),
    "a threshold of zero": ("DriftPolicy", ("features",), [{"name": "age", "threshold": 0}]),
    "an unknown data fault": ("DriftPolicy", ("brake",), {"dataFaults": ["late"]}),
    "a data quality tolerance below the minimum": ("DriftPolicy", ("dataQuality",), {"tolerance": 0.001}),
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
def test_a_minimal_spec_is_valid(kind: str) -> None:
    """The required fields alone make a valid spec, and a parsed spec round-trips through its document."""
    spec = KIND_OF[kind][1]
    parsed = resource(kind, spec)
    assert resource(kind, parsed.spec.to_document()) == parsed


@pytest.mark.parametrize(("kind", "path", "value"), REFUSED.values(), ids=REFUSED)
def test_the_error_for_an_invalid_spec_names_the_field(kind: str, path: tuple[str, ...], value: Any) -> None:
    """The models enforce the bounds of the CRD schema, and the error names the field."""
    with pytest.raises(ValidationError) as caught:
        resource(kind, with_field(KIND_OF[kind][1], path, value))
    named = {tuple(str(step) for step in error["loc"])[: len(path) + 1] for error in caught.value.errors()}
    assert ("spec", *path) in named


LEAST: dict[str, tuple[str, dict[str, Any]]] = {
    "the shortest durations of a policy": (
        "DriftPolicy",
        {"interval": "1s", "scrapeInterval": "1000ms", "window": "10s"},
    ),
    "a scrape interval equal to the window": ("DriftPolicy", {"scrapeInterval": "1m", "window": "60s"}),
    "a cool-down of zero": ("DriftPolicy", {"retrain": {**TEMPLATE, "cooldown": "0s"}}),
    "a drift duration of zero": ("DriftPolicy", {"triggers": {"drift": {"duration": "0s"}}}),
    "the shortest durations of a capture": (
        "ModelDeployment",
        {"capture": {"samplingRatio": 1, "flushInterval": "1s", "retention": "1m"}},
    ),
    "the shortest window of captured rows": (
        "TrainingJob",
        {"data": {"captured": {"modelDeployment": "a", "window": "10s"}}},
    ),
}


@pytest.mark.parametrize(("kind", "spec"), LEAST.values(), ids=LEAST)
def test_the_smallest_allowed_values_are_valid(kind: str, spec: dict[str, Any]) -> None:
    """Bounds are inclusive, and durations that may be zero accept zero."""
    assert resource(kind, {**KIND_OF[kind][1], **spec})


def test_a_scrape_interval_longer_than_the_window_is_rejected() -> None:
    """The model checks the CEL rule too: an object that was stored before the rule existed gets a clear error."""
    with pytest.raises(ValidationError, match="scrapeInterval must not be longer than window, got 1m and 30s"):
        resource("DriftPolicy", {**WATCHING, "scrapeInterval": "1m", "window": "30s"})


def test_the_error_for_a_short_duration_names_the_minimum() -> None:
    with pytest.raises(ValidationError, match="must be a duration of at least 10s, got 1ms"):
        resource("DriftPolicy", {**WATCHING, "window": "1ms"})


@pytest.mark.parametrize("kind", KIND_OF)
def test_a_status_of_a_newer_operator_is_read(kind: str) -> None:
    """After a downgrade, the older operator ignores unknown status fields."""
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
def test_a_duration_is_parsed_to_seconds(text: str, want: float) -> None:
    """Durations have the format of the Gateway API: hours, minutes, seconds, milliseconds."""
    assert parse_duration(text) == pytest.approx(want)


@pytest.mark.parametrize("text", NO_DURATIONS)
def test_the_error_for_an_invalid_duration_gives_examples(text: str) -> None:
    with pytest.raises(ValueError, match="such as 1h30m, 90s, 250ms"):
        parse_duration(text)


def test_losses_and_errors_are_better_when_smaller() -> None:
    """`greater_is_better` is false for losses and errors only."""
    falling = {metric for metric in Metric if not metric.greater_is_better}
    assert falling == {Metric.LOG_LOSS, Metric.BRIER, Metric.MAE, Metric.RMSE}


def test_a_validation_rule_has_a_field_path_only_if_given() -> None:
    """The API server rejects an empty `fieldPath`, so it is left out."""
    assert validation("true", "m") == {"rule": "true", "message": "m"}
    assert validation("true", "m", field_path=".a")["fieldPath"] == ".a"
