"""Run requests, run records and stage results of release 0.1.0."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import pytest

from perennate.api.documents.canonical import canonical_json, digest_bytes
from perennate.api.documents.metric import Metric, MetricValue
from perennate.api.documents.run_record import RunRecord
from perennate.api.documents.run_request import CapturedRequest, ChampionRequest, RunRequest
from perennate.api.documents.run_spec import EstimatorStep, RecordedSpec, RunSpec
from perennate.api.documents.stage_result import RunError, StageResult
from perennate.api.v1alpha1.training_spec import TrainingJobSpec
from perennate.builders.training import run_spec
from perennate.lineage import fingerprint, parameters_digest, provenance
from tests.support.first_release import content, document
from tests.support.pods.runs import Run
from tests.support.reconcilers.training_job import claim, conditions_of, status_of
from tests.support.world.cluster_controllers import only_job, run_pod
from tests.support.world.objects import at, condition, ended, model_deployment, stage_pod, training_job
from tests.support.world.world import World

DELAYS = "sha256:ab8639100df427ba61eb465673a240ba6cf1ca453c12609e6bf8855d568ac200"
FINGERPRINTS = {
    "classification": "sha256:b4188c88fb72d48d8dd1b88ace850531d6c45727fd5ba383790c4d5821c9075a",
    "regression": "sha256:314a7c8f412387d0eebc402d57acc24f809b4ad4e31e5f763116a94e015f093f",
    "captured": "sha256:08ac4431163db8bd115ebcdeaf32bfa44f65ed027590d89d79777636547b63a3",
}
UNUSED = {"resources", "suspend", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"}
Spec = TypeVar("Spec", bound=RunSpec)
every_run = pytest.mark.parametrize("run", FINGERPRINTS)


def test_the_request_of_an_estimator() -> None:
    request = RunRequest.read(content("classification/run-request.json"))
    assert (request.namespace, request.training_job, request.uid) == ("weather", "t", "uid-trainingjob-t")
    assert (request.champion, request.captured) == (None, None)
    spec = request.spec
    assert (spec.model.name, spec.seed) == ("delays", 7)
    assert spec.trainer.estimator is not None
    assert spec.trainer.estimator.class_ == "sklearn.linear_model.LogisticRegression"
    assert spec.trainer.estimator.params == {"max_iter": 300, "class_weight": None}
    assert spec.trainer.estimator.preprocessing == (
        EstimatorStep(
            class_="sklearn.preprocessing.OrdinalEncoder",
            params={"handle_unknown": "use_encoded_value", "unknown_value": -1, "encoded_missing_value": -1},
        ),
    )
    assert spec.data.train is not None
    assert (spec.data.train.uri, spec.data.train.format) == ("pvc://claim/trips.csv", "csv")
    assert (spec.data.target, spec.data.features) == ("late", ("hours", "city", "holiday"))
    assert (spec.data.holdout.fraction, spec.data.holdout.time_column) == (0.4, None)
    assert spec.evaluation.metrics == (Metric.AUC, Metric.ACCURACY)
    assert [(gate.metric, gate.min, gate.max) for gate in spec.evaluation.gates] == [(Metric.AUC, 0.5, None)]


def test_the_request_of_a_regression() -> None:
    """The request contains the defaults of fields that the TrainingJob does not set."""
    spec = RunRequest.read(content("regression/run-request.json")).spec
    assert (spec.seed, spec.evaluation.metrics, spec.evaluation.champion) == (0, (), None)
    assert (spec.data.holdout.fraction, spec.data.holdout.time_column) == (0.4, "day")


def test_the_request_of_a_container() -> None:
    request = RunRequest.read(content("container/run-request.json"))
    container = request.spec.trainer.container
    assert container is not None
    assert (container.image, container.command, container.args) == ("trips:1", ("python",), ("train.py",))
    assert [(variable.name, variable.value) for variable in container.env] == [("A", "b")]
    champion = request.spec.evaluation.champion
    assert champion is not None
    assert (champion.deployment, champion.metric, champion.min_improvement) == (
        "delays-service",
        Metric.LOG_LOSS,
        0.01,
    )
    assert request.champion == ChampionRequest(model="delays", digest=DELAYS)


def test_the_request_of_captured_rows() -> None:
    request = RunRequest.read(content("captured/run-request.json"))
    assert request.captured == CapturedRequest(model="delays", model_deployment="delays-service")
    captured = request.spec.data.captured
    assert captured is not None
    assert (captured.model_deployment, captured.window, captured.min_rows) == ("delays-service", "1h", 20)


def without_minimum(spec: Spec) -> Spec:
    """The spec as release 0.1.0 wrote it."""
    return spec.model_copy(update={"evaluation": spec.evaluation.model_copy(update={"min_samples": None})})


@pytest.mark.parametrize("name", ["classification", "regression", "captured", "container"])
def test_the_operator_writes_the_same_request_without_unused_fields(name: str) -> None:
    """The format is still version 1. A least number of hold-out rows is new: a request without it has none."""
    before = document(f"{name}/run-request.json")
    spec = run_spec(TrainingJobSpec.model_validate(before["spec"]))
    after = RunRequest.read(content(f"{name}/run-request.json"))
    assert (after.spec.evaluation.min_samples, spec.evaluation.min_samples) == (None, 30)
    assert after.spec == without_minimum(spec)
    kept = {field: value for field, value in before["spec"].items() if field not in UNUSED}
    assert after.to_document() == {**before, "spec": kept}


@every_run
def test_a_record_keeps_its_fingerprint(run: str) -> None:
    """A run record is written back byte for byte, because statuses and manifests contain its fingerprint."""
    record = RunRecord.read(content(f"{run}/run.json"))
    assert canonical_json(record.to_document()) == content(f"{run}/run.json")
    assert fingerprint(record) == digest_bytes(content(f"{run}/run.json")) == FINGERPRINTS[run]
    assert document(f"{run}/publish.termination.json")["fingerprint"] == FINGERPRINTS[run]


@every_run
def test_a_record_keeps_its_values(run: str) -> None:
    found, record = document(f"{run}/run.json"), RunRecord.read(content(f"{run}/run.json"))
    assert (record.model, record.task) == (found["model"], found["task"])
    assert (record.target, list(record.features)) == (found["target"], found["features"])
    assert (record.train_rows, record.holdout_rows, record.seed) == (
        found["trainRows"],
        found["holdoutRows"],
        found["seed"],
    )
    assert provenance(record).to_document() == document(f"{run}/publish.termination.json")["provenance"]


@every_run
def test_a_record_matches_its_request(run: str) -> None:
    """The record of a run matches its request, which the publish stage verifies."""
    request = RunRequest.read(content(f"{run}/run-request.json"))
    record = RunRecord.read(content(f"{run}/run.json"))
    assert record.spec == RecordedSpec.of(request.spec)
    assert record.champion == request.champion
    assert parameters_digest(request.spec, target=record.target, features=record.features) == record.parameters_digest


@pytest.mark.parametrize("name", ["classification", "regression"])
def test_the_prepare_stage_writes_the_same_record(name: str, tmp_path: Path) -> None:
    """The record is equal except for digests that depend on the installed libraries, and for the new `minSamples`."""
    run = Run(
        tmp_path / "run", tmp_path / "data", tmp_path / "store", spec=document(f"{name}/run-request.json")["spec"]
    )
    (run.data / "trips.csv").write_bytes(content("trips.csv"))
    code, _ = run.here("prepare")
    assert code == 0
    libraries = {"environmentDigest", "trainDigest", "holdoutDigest"}
    before = document(f"{name}/run.json")
    record = RunRecord.read(run.paths.record.read_bytes())
    spec = without_minimum(record.spec)
    digest = parameters_digest(spec, target=record.target, features=record.features)
    after = record.model_copy(update={"spec": spec, "parameters_digest": digest}).to_document()
    if name == "regression":
        # Its hold-out rows are the newest days, and the day at the boundary is no longer in both parts.
        assert (after.pop("trainRows"), after.pop("holdoutRows")) == (95, 65)
    assert {key: value for key, value in after.items() if key not in libraries} == {
        key: value for key, value in before.items() if key in after and key not in libraries
    }


def test_the_result_of_a_published_version() -> None:
    result = StageResult.read(content("classification/publish.termination.json"))
    assert (result.stage, result.error, result.champion) == ("publish", None, None)
    assert result.model_version is not None
    assert (result.model_version.name, result.model_version.version) == ("delays", "ab8639100df4")
    assert result.model_version.digest == DELAYS
    assert result.model_version.uri == f"store://delays/versions/{DELAYS.removeprefix('sha256:')}"
    assert result.metrics == (
        MetricValue(name=Metric.AUC, value=0.6146146146146145),
        MetricValue(name=Metric.ACCURACY, value=0.546875),
    )
    (gate,) = result.gates
    assert (gate.metric, gate.value, gate.min, gate.max, gate.passed) == (
        Metric.AUC,
        0.6146146146146145,
        0.5,
        None,
        True,
    )


def test_the_result_of_a_comparison() -> None:
    champion = StageResult.read(content("captured/publish.termination.json")).champion
    assert champion is not None
    assert (champion.version, champion.metric, champion.passed) == (DELAYS, Metric.LOG_LOSS, True)
    assert (champion.champion, champion.challenger) == (1.805189729667977, 0.7176294938339275)


def test_the_result_of_a_failed_gate() -> None:
    result = StageResult.read(content("classification/gate-failed.termination.json"))
    message = "nothing is published: auc 0.614615 is below the minimum 1"
    assert result.error == RunError(reason="GateFailed", message=message)
    assert (result.model_version, len(result.metrics)) == (None, 7)


@pytest.mark.parametrize("run", ["classification", "regression"])
@pytest.mark.parametrize("stage", ["prepare", "train"])
def test_the_results_of_the_first_stages(run: str, stage: str) -> None:
    result = StageResult.read(content(f"{run}/{stage}.termination.json"))
    assert (result.stage, result.error, result.fingerprint) == (stage, None, FINGERPRINTS[run])


@every_run
def test_a_pod_of_the_first_release_that_ends_after_an_upgrade_is_accepted(run: str) -> None:
    """Its stages report what the operator compares: fingerprint, model line, gates and champion."""
    messages = {stage: content(f"{run}/{stage}.termination.json").decode() for stage in ("prepare", "publish")}
    deployment = model_deployment("delays-service", spec={"model": {"track": {"name": "delays"}}})
    world = World.of(training_job(spec=document(f"{run}/run-request.json")["spec"]), claim("claim"), deployment)
    world.settle("TrainingJob", "t")
    ends = (ended("prepare", 0, messages["prepare"]), ended("train"), ended("publish", 0, messages["publish"]))
    run_pod(world, stage_pod(*ends, phase="Succeeded"))
    job = only_job(world)
    job["status"] = {"conditions": [condition("Complete")], "completionTime": at(-5)}
    world.put(job)
    world.settle("TrainingJob", "t")
    assert conditions_of(world)["Complete"] == ("True", "VersionPublished")
    assert status_of(world)["fingerprint"] == FINGERPRINTS[run]
