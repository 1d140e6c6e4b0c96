"""The API server rejects invalid objects with a message that names the field."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from perennate.kube.kinds.registry import RESOURCES
from tests.support.cluster import manifests
from tests.support.cluster.kube_user import KubeUser, Refused

if TYPE_CHECKING:
    from perennate.api.meta import Manifest

pytestmark = pytest.mark.integration
TRAINING_JOB = RESOURCES.primary["TrainingJob"]
UNPROCESSABLE = 422
BAD_REQUEST = 400
STEP = {"class": "sklearn.preprocessing.StandardScaler", "params": {"with_mean": True}}
ESTIMATOR = {
    "class": "sklearn.linear_model.LogisticRegression",
    "params": {"C": 1.0, "nested": {"deep": 2}, "lists": [[1, 2], ["a"]]},
}


def run(**spec: Any) -> Manifest:
    """A TrainingJob with a changed spec."""
    return manifests.training_job("bad", "", **spec)


def serve(**spec: Any) -> Manifest:
    """A ModelDeployment with a changed spec."""
    return manifests.model_deployment("bad", "", **spec)


def watch(**spec: Any) -> Manifest:
    """A DriftPolicy with a changed spec."""
    return manifests.drift_policy("bad", "", target="serve", **spec)


CASES: dict[str, tuple[Manifest, int, str]] = {
    "an unknown field": (run(learningRate=0.1), BAD_REQUEST, 'unknown field "spec.learningRate"'),
    "an unknown nested field": (
        run(data={"train": {"uri": "file:///a.csv", "delimiter": ";"}, "target": "rain"}),
        BAD_REQUEST,
        'unknown field "spec.data.train.delimiter"',
    ),
    "a wrong type": (run(backoffLimit="two"), UNPROCESSABLE, "spec.backoffLimit"),
    "a number out of range": (run(backoffLimit=11), UNPROCESSABLE, "spec.backoffLimit"),
    "a negative seed": (run(seed=-1), UNPROCESSABLE, "spec.seed"),
    "two trainers": (
        run(trainer={"estimator": ESTIMATOR, "container": {"image": "x"}}),
        UNPROCESSABLE,
        "trainer must have exactly one of estimator, container",
    ),
    "no trainer": (run(trainer={}), UNPROCESSABLE, "trainer must have exactly one of estimator, container"),
    "features and excluded columns": (
        run(data={"train": {"uri": "file:///a.csv"}, "target": "rain", "features": ["wind"], "exclude": ["day"]}),
        UNPROCESSABLE,
        "data must not have both features and exclude",
    ),
    "two weights of a class": (
        run(
            trainer={"estimator": {**ESTIMATOR, "classWeight": [{"class": "1", "weight": number} for number in (1, 2)]}}
        ),
        UNPROCESSABLE,
        "spec.trainer.estimator.classWeight",
    ),
    "a class without weight": (
        run(trainer={"estimator": {**ESTIMATOR, "classWeight": [{"class": "1", "weight": 0}]}}),
        UNPROCESSABLE,
        "spec.trainer.estimator.classWeight[0].weight",
    ),
    "an unknown policy of compatibility": (
        run(evaluation={"compatibility": "Ignore"}),
        UNPROCESSABLE,
        'spec.evaluation.compatibility: Unsupported value: "Ignore"',
    ),
    "an estimator of another library": (
        run(trainer={"estimator": {"class": "os.system"}}),
        UNPROCESSABLE,
        "spec.trainer.estimator.class",
    ),
    "two sources of data": (
        run(data={"train": {"uri": "file:///a.csv"}, "captured": {"modelDeployment": "x"}, "target": "rain"}),
        UNPROCESSABLE,
        "data must have exactly one of train, captured",
    ),
    "an unsupported URI scheme": (
        run(data={"train": {"uri": "s3://bucket/a.csv"}, "target": "rain"}),
        UNPROCESSABLE,
        "spec.data.train.uri",
    ),
    "a file without a target": (
        run(data={"train": {"uri": "file:///a.csv"}}),
        UNPROCESSABLE,
        "data.target is required with data.train",
    ),
    "a hold-out fraction of one": (
        run(data={"train": {"uri": "file:///a.csv"}, "target": "rain", "holdout": {"fraction": 1}}),
        UNPROCESSABLE,
        "spec.data.holdout.fraction",
    ),
    "a gate without a threshold": (
        run(evaluation={"gates": [{"metric": "auc"}]}),
        UNPROCESSABLE,
        "a gate must have min or max",
    ),
    "an unknown metric": (
        run(evaluation={"metrics": ["luck"]}),
        UNPROCESSABLE,
        "spec.evaluation.metrics[0]",
    ),
    "pinned and tracked": (
        serve(
            model={
                "track": {"name": "a"},
                "pinned": {"uri": "store://a/versions/" + "a" * 64, "digest": manifests.DIGEST},
            }
        ),
        UNPROCESSABLE,
        "model must have exactly one of pinned, track",
    ),
    "a URI with another digest": (
        serve(model={"pinned": {"uri": "store://a/versions/" + "b" * 64, "digest": manifests.DIGEST}}),
        UNPROCESSABLE,
        "pinned.uri must end with the hexadecimal digits of pinned.digest",
    ),
    "too many replicas": (serve(replicas=1001), UNPROCESSABLE, "spec.replicas"),
    "a sampling ratio above one": (serve(capture={"samplingRatio": 1.5}), UNPROCESSABLE, "spec.capture.samplingRatio"),
    "a malformed duration": (watch(window="a day"), UNPROCESSABLE, "spec.window"),
    "an evaluation interval of zero": (
        watch(interval="0s"),
        UNPROCESSABLE,
        'spec.interval: Invalid value: "0s": must be a duration of at least 1s',
    ),
    "a scrape interval of a millisecond": (
        watch(scrapeInterval="1ms"),
        UNPROCESSABLE,
        'spec.scrapeInterval: Invalid value: "1ms": must be a duration of at least 1s',
    ),
    "a window of zero length": (
        watch(window="0h0m", scrapeInterval="0s"),
        UNPROCESSABLE,
        'spec.window: Invalid value: "0h0m": must be a duration of at least 10s',
    ),
    "a scrape interval longer than the window": (
        watch(window="10s"),
        UNPROCESSABLE,
        "spec.scrapeInterval: Invalid value: scrapeInterval must not be longer than window",
    ),
    "a window of captured rows of zero length": (
        run(data={"captured": {"modelDeployment": "x", "window": "0s"}}),
        UNPROCESSABLE,
        'spec.data.captured.window: Invalid value: "0s": must be a duration of at least 10s',
    ),
    "a window of captured rows of zero length in a template": (
        watch(retrain=manifests.template_of(run(data={"captured": {"modelDeployment": "x", "window": "0s"}}))),
        UNPROCESSABLE,
        'trainingJobTemplate.spec.data.captured.window: Invalid value: "0s": must be a duration of at least 10s',
    ),
    "a flush interval of zero": (
        serve(capture={"samplingRatio": 1, "flushInterval": "0s"}),
        UNPROCESSABLE,
        'spec.capture.flushInterval: Invalid value: "0s": must be a duration of at least 1s',
    ),
    "a retention below the minimum": (
        serve(capture={"samplingRatio": 1, "retention": "1s"}),
        UNPROCESSABLE,
        'spec.capture.retention: Invalid value: "1s": must be a duration of at least 1m',
    ),
    "a quantity that is too long": (
        run(resources={"limits": {"memory": "1" * 32 + "Mi"}}),
        UNPROCESSABLE,
        "spec.resources.limits.memory: Too long: may not be more than 32",
    ),
    "a trigger without a retraining": (
        watch(triggers={"performance": {"metric": "auc"}}),
        UNPROCESSABLE,
        "retrain is required when triggers.drift or triggers.performance is set",
    ),
    "a method without a threshold": (
        watch(features=[{"name": "age", "method": "wasserstein"}]),
        UNPROCESSABLE,
        "threshold is required unless method is psi",
    ),
    "a distance above its maximum": (
        watch(features=[{"name": "age", "method": "jensenShannon", "threshold": 1.5}]),
        UNPROCESSABLE,
        "threshold of jensenShannon and kolmogorovSmirnov must be at most 1",
    ),
    "an unknown method": (
        watch(features=[{"name": "age", "method": "cosine", "threshold": 1}]),
        UNPROCESSABLE,
        "spec.features[0].method",
    ),
    "a duplicate feature": (watch(features=[{"name": "age"}, {"name": "age"}]), UNPROCESSABLE, "Duplicate value"),
    "a percentage of 100": (
        watch(minDriftedFeatures="100%"),
        UNPROCESSABLE,
        "a number from 1 to 10000 or a percentage",
    ),
    "a quorum of zero": (watch(minDriftedFeatures=0), UNPROCESSABLE, "a number from 1 to 10000 or a percentage"),
    "performance both monitored and a trigger": (
        watch(
            performance={"metric": "auc"},
            triggers={"performance": {"metric": "f1"}},
            retrain=manifests.template_of(run()),
        ),
        UNPROCESSABLE,
        "performance and triggers.performance are mutually exclusive: the former only monitors",
    ),
    "an estimate without scores": (
        watch(estimatedPerformance={"metric": "rmse"}),
        UNPROCESSABLE,
        "spec.estimatedPerformance.metric",
    ),
    "an unknown fault": (watch(brake={"dataFaults": ["late"]}), UNPROCESSABLE, "spec.brake.dataFaults[0]"),
    "a warning threshold above the alarm threshold": (
        watch(warning=0.5, drifted=0.2),
        UNPROCESSABLE,
        "warning must not be above drifted",
    ),
    "a significance level of zero": (watch(significance=0), UNPROCESSABLE, "spec.significance"),
    "a target of another kind": (
        watch(targetRef={"kind": "Service", "name": "x"}),
        UNPROCESSABLE,
        "spec.targetRef.kind",
    ),
    "a reference into another namespace": (
        watch(targetRef={"name": "other/serve"}),
        UNPROCESSABLE,
        "spec.targetRef.name",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_error_for_an_invalid_spec_names_the_field(case: str, user: KubeUser, namespace: str) -> None:
    manifest, code, sentence = CASES[case]
    body = copy.deepcopy(manifest)
    body["metadata"]["namespace"] = namespace
    with pytest.raises(Refused) as refusal:
        user.create(body)
    assert refusal.value.code == code
    assert sentence in refusal.value.message


TAKEN: dict[str, Manifest] = {
    "a cooldown of zero": watch(retrain={**manifests.template_of(run()), "cooldown": "0s"}),
    "every minimum": watch(interval="1000ms", scrapeInterval="1s", window="10s"),
    "a scrape interval equal to the window": watch(scrapeInterval="60s", window="1m"),
    "quantities as text and as numbers": run(resources={"requests": {"cpu": "500m", "example.com/card": 1}}),
}


@pytest.mark.parametrize("case", TAKEN)
def test_values_at_the_bounds_are_accepted(case: str, user: KubeUser, namespace: str) -> None:
    body = copy.deepcopy(TAKEN[case])
    body["metadata"]["namespace"] = namespace
    assert user.create(body)["metadata"]["generation"] == 1


FROZEN: dict[str, tuple[Manifest, str]] = {
    "model": ({"model": {"name": "snow"}}, "spec.model"),
    "trainer": ({"trainer": {"estimator": {"class": "sklearn.svm.SVC"}}}, "spec.trainer"),
    "a parameter of the estimator": ({"trainer": {"estimator": {"params": {"C": 2.0}}}}, "spec.trainer"),
    "a new parameter of the estimator": ({"trainer": {"estimator": {"params": {"tol": 0.1}}}}, "spec.trainer"),
    "a nested parameter": ({"trainer": {"estimator": {"params": {"nested": {"deep": 3}}}}}, "spec.trainer"),
    "a list in a list": ({"trainer": {"estimator": {"params": {"lists": [[1, 3], ["a"]]}}}}, "spec.trainer"),
    "a parameter of a preprocessing step": (
        {"trainer": {"estimator": {"preprocessing": [{**STEP, "params": {"with_mean": False}}]}}},
        "spec.trainer",
    ),
    "data": ({"data": {"target": "snow"}}, "spec.data"),
    "seed": ({"seed": 7}, "spec.seed"),
    "evaluation": ({"evaluation": {"metrics": ["auc"]}}, "spec.evaluation"),
    "resources that were not set": ({"resources": {"limits": {"cpu": "1"}}}, "spec.resources"),
    "backoffLimit": ({"backoffLimit": 0}, "spec.backoffLimit"),
    "activeDeadlineSeconds": ({"activeDeadlineSeconds": 60}, "spec.activeDeadlineSeconds"),
}


@pytest.mark.parametrize("case", FROZEN)
def test_the_spec_of_a_run_is_immutable(case: str, user: KubeUser, namespace: str) -> None:
    """Only `suspend` and `ttlSecondsAfterFinished` may change, at any depth of the spec."""
    change, field = FROZEN[case]
    user.create(manifests.training_job("run", namespace, trainer={"estimator": {**ESTIMATOR, "preprocessing": [STEP]}}))
    with pytest.raises(Refused) as refusal:
        user.edit(TRAINING_JOB, namespace, "run", {"spec": change})
    assert refusal.value.code == UNPROCESSABLE
    assert f"{field} of a TrainingJob is immutable; create another TrainingJob" in refusal.value.message


def test_mutable_fields_of_a_run_can_be_changed(user: KubeUser, namespace: str) -> None:
    """Users may change `suspend`, `ttlSecondsAfterFinished` and metadata at any time."""
    user.create(manifests.training_job("run", namespace))
    change = {"spec": {"suspend": True, "ttlSecondsAfterFinished": 60}, "metadata": {"labels": {"a": "b"}}}
    assert user.edit(TRAINING_JOB, namespace, "run", change)["spec"]["suspend"] is True


def test_the_status_subresource_cannot_change_a_spec(user: KubeUser, namespace: str) -> None:
    user.create(manifests.training_job("run", namespace))
    user.edit(TRAINING_JOB, namespace, "run", {"spec": {"suspend": True}, "status": {"phase": "Pending"}}, status=True)
    found = user.get(TRAINING_JOB, namespace, "run")
    assert found is not None
    assert not found["spec"].get("suspend")
    assert found["status"]["phase"] == "Pending"
