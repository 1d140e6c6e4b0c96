"""Makers of Kubernetes objects for unit tests. Arguments set the fields that a test needs."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from perennate.api.documents.canonical import digest_document, short_version
from perennate.api.documents.model_manifest import version_uri
from perennate.api.documents.stage_result import StageResult
from perennate.api.v1alpha1 import DriftPolicy, ModelDeployment, TrainingJob
from perennate.api.wellknown import API_VERSION, STAGES
from perennate.reconcilers.settings import InstallationSettings

Document = dict[str, Any]

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
"""The default time of a pass."""
NAMESPACE = "weather"
FINGERPRINT = digest_document("fingerprint")
"""Fingerprint of every training run."""
MODEL = "rain"
SETTINGS = InstallationSettings(trainer_image="perennate/trainer:1", serving_image="perennate/serving:1")


def at(seconds: float) -> str:
    """The RFC 3339 time `seconds` after NOW."""
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def digest_of(version: str) -> str:
    """The digest of a version that tests name by a word, such as `v1`."""
    return digest_document({"version": version})


def profile_digest_of(version: str) -> str:
    """The digest of that version's reference profile."""
    return digest_document({"profile": version})


def metadata(name: str, kind: str, **more: Any) -> Document:
    """Metadata as the API server returns it. The uid is derived from kind and name."""
    return {
        "name": name,
        "namespace": NAMESPACE,
        "uid": f"uid-{kind.lower()}-{name}",
        "generation": 1,
        "creationTimestamp": at(-60),
        **more,
    }


def training_job(
    name: str = "t", *, spec: Document | None = None, status: Document | None = None, **meta: Any
) -> Document:
    """A TrainingJob that fits a logistic regression on a file of a claim; `spec` replaces fields of its spec."""
    whole = {
        "model": {"name": MODEL},
        "trainer": {"estimator": {"class": "sklearn.linear_model.LogisticRegression"}},
        "data": {"train": {"uri": "pvc://rows/rain.csv"}, "target": "rain"},
        **(spec or {}),
    }
    return _resource("TrainingJob", name, whole, status, meta)


def model_deployment(
    name: str = "m", *, spec: Document | None = None, status: Document | None = None, **meta: Any
) -> Document:
    """A ModelDeployment that follows the model line; `spec` replaces fields of its spec."""
    return _resource("ModelDeployment", name, {"model": {"track": {"name": MODEL}}, **(spec or {})}, status, meta)


def drift_policy(
    name: str = "p", *, spec: Document | None = None, status: Document | None = None, **meta: Any
) -> Document:
    """A DriftPolicy on `m` that may retrain on lost AUC; `spec` replaces fields of its spec."""
    whole = {
        "targetRef": {"name": "m"},
        "window": "1h",
        "consecutive": 2,
        "triggers": {"performance": {"metric": "auc", "tolerance": 0.05}},
        "retrain": {"trainingJobTemplate": {"spec": training_job()["spec"]}, "cooldown": "1h"},
        **(spec or {}),
    }
    return _resource("DriftPolicy", name, whole, status, meta)


def make_training_job(name: str = "t", **fields: Any) -> TrainingJob:
    """`training_job`, parsed."""
    return TrainingJob.model_validate(training_job(name, **fields))


def make_model_deployment(name: str = "m", **fields: Any) -> ModelDeployment:
    """`model_deployment`, parsed."""
    return ModelDeployment.model_validate(model_deployment(name, **fields))


def make_drift_policy(name: str = "p", **fields: Any) -> DriftPolicy:
    """`drift_policy`, parsed."""
    return DriftPolicy.model_validate(drift_policy(name, **fields))


def condition(type_: str, status: str = "True", reason: str = "Because", **more: Any) -> Document:
    """A condition as in a status."""
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": "",
        "lastTransitionTime": at(-30),
        "observedGeneration": 1,
        **more,
    }


def model_version(version: str = "v1", *, model: str = MODEL) -> Document:
    """A published version as in the status of a TrainingJob."""
    digest = digest_of(version)
    return {
        "name": model,
        "version": short_version(digest),
        "uri": version_uri(model, digest),
        "digest": digest,
        "profileDigest": profile_digest_of(version),
    }


def revision(version: str = "v1", *, model: str = MODEL, since: str | None = None, **more: Any) -> Document:
    """A version as in the status of a ModelDeployment."""
    digest = digest_of(version)
    return {
        "model": model,
        "digest": digest,
        "version": short_version(digest),
        "uri": version_uri(model, digest),
        "profileDigest": profile_digest_of(version),
        "trainingJob": f"train-{version}",
        "since": since or at(-600),
        **more,
    }


def published_job(version: str = "v1", *, completed: str | None = None, model: str = MODEL, name: str = "") -> Document:
    """A TrainingJob that published a version."""
    status = {
        "phase": "Succeeded",
        "conditions": [condition("Complete", "True", "VersionPublished")],
        "completionTime": completed or at(-300),
        "modelVersion": model_version(version, model=model),
    }
    return training_job(name or f"train-{version}", spec={"model": {"name": model}}, status=status)


def stage_result(stage: str, **fields: Any) -> str:
    """A termination message as a stage writes it; `fields` by their names in the API."""
    result = StageResult.model_validate({"stage": stage, **fields})
    return result.model_dump_json(by_alias=True, exclude_none=True)


def publish_result(version: str = "v1", **fields: Any) -> str:
    """The termination message of a publish stage that published a version."""
    found = {
        "fingerprint": FINGERPRINT,
        "modelVersion": model_version(version),
        "metrics": [{"name": "auc", "value": 0.86}],
    }
    return stage_result("publish", **{**found, **fields})


def ended(name: str, code: int = 0, message: str = "", *, reason: str = "") -> Document:
    """Status of a container that has ended."""
    state = {
        "exitCode": code,
        "reason": reason or ("Completed" if code == 0 else "Error"),
        "message": message,
        "startedAt": at(-40),
        "finishedAt": at(-20),
    }
    return {"name": name, "state": {"terminated": state}}


def running(name: str, *, last: Document | None = None) -> Document:
    """Status of a running container; `last` is the status of its previous end."""
    status: Document = {"name": name, "state": {"running": {"startedAt": at(-10)}}}
    if last is not None:
        status["lastState"] = last["state"]
    return status


def waiting(name: str, reason: str = "PodInitializing", message: str = "", *, last: Document | None = None) -> Document:
    """Status of a waiting container; `last` is the status of its previous end."""
    status: Document = {"name": name, "state": {"waiting": {"reason": reason, "message": message}}}
    if last is not None:
        status["lastState"] = last["state"]
    return status


def pod(
    name: str = "pod",
    *,
    containers: tuple[Document, ...] = (),
    phase: str = "Running",
    conditions: tuple[Document, ...] = (),
    labels: dict[str, str] | None = None,
    created: str | None = None,
    deleted: str | None = None,
) -> Document:
    """A pod with these container statuses; `fetch` and the stages before `publish` are init containers."""
    meta = metadata(name, "Pod", creationTimestamp=created or at(-50), labels=labels or {})
    if deleted is not None:
        meta["deletionTimestamp"] = deleted
    init = ("fetch", *STAGES[:-1])
    return {
        "metadata": meta,
        "status": {
            "phase": phase,
            "conditions": list(conditions),
            "initContainerStatuses": [status for status in containers if status["name"] in init],
            "containerStatuses": [status for status in containers if status["name"] not in init],
        },
    }


def stage_pod(*containers: Document, name: str = "run-1", phase: str = "Running", **fields: Any) -> Document:
    """A pod of a training run; stages without a status wait."""
    named = {status["name"] for status in containers}
    rest = tuple(waiting(stage) for stage in STAGES if stage not in named)
    return pod(name, containers=(*containers, *rest), phase=phase, **fields)


def succeeded_pod(version: str = "v1", **fields: Any) -> Document:
    """A pod of a training run that published a version."""
    prepared = stage_result("prepare", fingerprint=FINGERPRINT)
    ends = (ended("prepare", 0, prepared), ended("train"), ended("publish", 0, publish_result(version, **fields)))
    return stage_pod(*ends, phase="Succeeded")


def failed_pod(stage: str, code: int, message: str = "", *, reason: str = "", name: str = "run-1") -> Document:
    """A pod of a training run with a stage that ended with an exit code."""
    before = (ended(earlier) for earlier in STAGES[: STAGES.index(stage)])
    return stage_pod(*before, ended(stage, code, message, reason=reason), name=name, phase="Failed")


def copied(document: Document, **status: Any) -> Document:
    """A deep copy of an object with some fields of its status replaced."""
    found = copy.deepcopy(document)
    found.setdefault("status", {}).update(status)
    return found


def _resource(kind: str, name: str, spec: Document, status: Document | None, meta: Document) -> Document:
    document = {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": metadata(name, kind, **meta),
        "spec": copy.deepcopy(spec),
    }
    if status is not None:
        document["status"] = copy.deepcopy(status)
    return document
