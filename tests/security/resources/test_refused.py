"""Custom resources that the API server must refuse, with a message that names the field. A tenant creates them."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from perennate.kube.kinds.registry import RESOURCES
from tests.support.cluster import manifests
from tests.support.cluster.kube_user import Refused

if TYPE_CHECKING:
    from perennate.api.meta import Manifest
    from tests.support.cluster.kube_user import KubeUser

pytestmark = pytest.mark.integration
BAD_REQUEST, FORBIDDEN, INVALID = 400, 403, 422
LOGISTIC = "sklearn.linear_model.LogisticRegression"
CSV = {"uri": "file:///rows.csv"}
SERVE = {"track": {"name": "rain"}}


def run(**spec: Any) -> Manifest:
    """A TrainingJob."""
    return manifests.training_job("evil", "", **spec)


def estimator(**fields: Any) -> Manifest:
    """A TrainingJob with fields of its estimator."""
    return run(trainer={"estimator": {"class": LOGISTIC, **fields}})


def container(**fields: Any) -> Manifest:
    """A TrainingJob with fields of its container."""
    return run(trainer={"container": {"image": "evil:1", **fields}})


def serve(**spec: Any) -> Manifest:
    """A ModelDeployment."""
    return manifests.model_deployment("evil", "", **spec)


def watch(**spec: Any) -> Manifest:
    """A DriftPolicy."""
    return manifests.drift_policy("evil", "", target="serve", **spec)


def template(run: Manifest, **metadata: Any) -> Manifest:
    """A DriftPolicy with the template of a run."""
    return watch(retrain={"trainingJobTemplate": {"metadata": metadata, "spec": run["spec"]}})


def named(manifest: Manifest, name: str) -> Manifest:
    """The manifest with another name."""
    return {**manifest, "metadata": {**manifest["metadata"], "name": name}}


PARAMS = "spec.trainer.estimator.params"
LABELS = "spec.retrain.trainingJobTemplate.metadata.labels"
CASES: dict[str, tuple[Manifest, int, str]] = {
    # Memory: the objects of the first attack, and other ways to fill them.
    "450,000 empty maps in a parameter": (estimator(params={"a": [{}] * 450_000}), INVALID, f"{PARAMS}.a: Too many"),
    "a parameter of one megabyte": (estimator(params={"a": "x" * 1_000_000}), INVALID, f"{PARAMS}.a: Too long"),
    "a thousand parameters": (estimator(params={f"p{i}": 0 for i in range(1000)}), INVALID, f"{PARAMS}: Too many"),
    "parameters nested a hundred times": (
        estimator(params={"a": json.loads("[" * 100 + "]" * 100)}),
        INVALID,
        f"{PARAMS}.a",
    ),
    "large parameters of a step": (
        estimator(preprocessing=[{"class": LOGISTIC, "params": {"a": [[]] * 300_000}}]),
        INVALID,
        "spec.trainer.estimator.preprocessing[0].params.a: Too many",
    ),
    "large parameters in a template": (
        template(estimator(params={"a": [{}] * 450_000})),
        INVALID,
        f"spec.retrain.trainingJobTemplate.{PARAMS}.a: Too many",
    ),
    "many large steps": (
        estimator(preprocessing=[{"class": LOGISTIC, "params": {}}] * 17),
        INVALID,
        "spec.trainer.estimator.preprocessing: Too many",
    ),
    "a thousand environment variables": (
        container(env=[{"name": f"V{number}", "value": ""} for number in range(1000)]),
        INVALID,
        "spec.trainer.container.env: Too many",
    ),
    "a column name of 100,000 characters": (
        run(data={"train": CSV, "target": "x" * 100_000}),
        INVALID,
        "spec.data.target: Too long",
    ),
    "a million columns": (
        run(data={"train": CSV, "target": "rain", "features": ["a"] * 300_000}),
        INVALID,
        "spec.data.features: Too many",
    ),
    "ten thousand features to watch": (
        watch(features=[{"name": f"f{number}"} for number in range(10_000)]),
        INVALID,
        "spec.features: Too many",
    ),
    # Rights: what a pod may do is not a field.
    "another service account": (
        run(serviceAccountName="admin"),
        BAD_REQUEST,
        'unknown field "spec.serviceAccountName"',
    ),
    "a privileged container": (
        container(securityContext={"privileged": True}),
        BAD_REQUEST,
        'unknown field "spec.trainer.container.securityContext"',
    ),
    "a volume of the host": (
        container(volumeMounts=[{"name": "host", "mountPath": "/host"}]),
        BAD_REQUEST,
        'unknown field "spec.trainer.container.volumeMounts"',
    ),
    "the network of the host": (serve(hostNetwork=True), BAD_REQUEST, 'unknown field "spec.hostNetwork"'),
    "a Secret as the value of a variable": (
        container(env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]),
        BAD_REQUEST,
        'unknown field "spec.trainer.container.env[0].valueFrom"',
    ),
    "a class outside of scikit-learn": (
        run(trainer={"estimator": {"class": "subprocess.Popen"}}),
        INVALID,
        "spec.trainer.estimator.class",
    ),
    "a module of scikit-learn that leads elsewhere": (
        run(trainer={"estimator": {"class": "sklearn.utils.os.system; import x"}}),
        INVALID,
        "spec.trainer.estimator.class",
    ),
    # Other namespaces.
    "a target in another namespace": (watch(targetRef={"name": "victim/serve"}), INVALID, "spec.targetRef.name"),
    "a namespace beside a reference": (
        watch(targetRef={"name": "serve", "namespace": "victim"}),
        BAD_REQUEST,
        'unknown field "spec.targetRef.namespace"',
    ),
    "a champion in another namespace": (
        run(evaluation={"champion": {"deployment": "victim/serve", "metric": "auc"}}),
        INVALID,
        "spec.evaluation.champion.deployment",
    ),
    "a model line that leaves its folder": (run(model={"name": "../victim"}), INVALID, "spec.model.name"),
    "a store URI that leaves its folder": (
        serve(model={"pinned": {"uri": f"store://../versions/{'a' * 64}", "digest": manifests.DIGEST}}),
        INVALID,
        "spec.model.pinned.uri",
    ),
    "an address instead of a file": (
        run(data={"train": {"uri": "http://169.254.169.254/latest"}, "target": "rain"}),
        INVALID,
        "spec.data.train.uri",
    ),
    # Children that the API server would refuse again and again.
    "a label that is none in a template": (template(run(), labels={"not a key!": "x"}), INVALID, LABELS),
    "a label value that is none in a template": (template(run(), labels={"a": "bad value!"}), INVALID, LABELS),
    "a label with a prefix that is too long": (template(run(), labels={f"{'a' * 254}/b": "x"}), INVALID, LABELS),
    "an annotation that is none in a template": (
        template(run(), annotations={"a/b/c": "x"}),
        INVALID,
        "spec.retrain.trainingJobTemplate.metadata.annotations",
    ),
    "annotations of a template above 256 KiB": (
        template(run(), annotations={f"a{number}": "\U0001f600" * 4096 for number in range(20)}),
        INVALID,
        "spec.retrain.trainingJobTemplate.metadata.annotations.a0: Too long",
    ),
    "a resource that no container has": (run(resources={"limits": {"pods": 1}}), INVALID, "spec.resources.limits"),
    "a negative quantity": (run(resources={"requests": {"cpu": -1}}), INVALID, "spec.resources.requests"),
    "a name that is too long for the children": (
        named(watch(), "a" * 53),
        INVALID,
        "the name of a DriftPolicy must have at most 52 characters",
    ),
    "a name that a Service cannot have": (named(serve(), "1.evil"), INVALID, "must be a DNS label"),
    # Load.
    "a scrape every millisecond": (watch(scrapeInterval="1ms"), INVALID, "spec.scrapeInterval"),
    "an evaluation without pause": (watch(interval="0s"), INVALID, "spec.interval"),
    "a thousand retrainings a day": (
        watch(retrain={**manifests.template_of(run()), "maxPerDay": 1000}),
        INVALID,
        "spec.retrain.maxPerDay",
    ),
    "two billion replicas": (serve(replicas=2**31), INVALID, "spec.replicas"),
    "a deadline of 2^63 seconds": (run(activeDeadlineSeconds=2**63 - 1), INVALID, "spec.activeDeadlineSeconds"),
    # Numbers that are none.
    "a bound of a gate of 1e308": (
        run(evaluation={"gates": [{"metric": "auc", "min": 1e308}]}),
        INVALID,
        "spec.evaluation.gates[0].min",
    ),
    "a threshold below zero": (watch(drifted=-1e-320), INVALID, "spec.drifted"),
    "an origin with a line break": (
        serve(serving={"cors": {"allowedOrigins": ["https://a\r\nSet-Cookie: x"]}}),
        INVALID,
        "spec.serving.cors.allowedOrigins[0]",
    ),
    "an image with a space": (container(image="a b"), INVALID, "spec.trainer.container.image"),
    "a variable with a shell command as its name": (
        container(env=[{"name": "A=$(id)", "value": "x"}]),
        INVALID,
        "spec.trainer.container.env[0].name",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_resource_is_refused(case: str, tenant: KubeUser, common_namespace: str) -> None:
    manifest, code, sentence = CASES[case]
    body = copy.deepcopy(manifest)
    body["metadata"]["namespace"] = common_namespace
    with pytest.raises(Refused) as refusal:
        tenant.create(body)
    assert (refusal.value.code, sentence in refusal.value.message) == (code, True), refusal.value.message[:2000]


def test_a_status_cannot_be_forged(tenant: KubeUser, common_namespace: str) -> None:
    """Neither at creation, nor later: the subresource needs a right that tenants do not have."""
    resource = RESOURCES.primary["TrainingJob"]
    forged = {"phase": "Succeeded", "modelVersion": {"name": "rain", "digest": manifests.DIGEST}}
    body = named(run(suspend=True), "forged") | {"status": forged}
    body["metadata"]["namespace"] = common_namespace
    assert "status" not in tenant.create(body)
    with pytest.raises(Refused) as refusal:
        tenant.edit(resource, common_namespace, "forged", {"status": forged}, status=True)
    assert refusal.value.code == FORBIDDEN
    stored = tenant.edit(resource, common_namespace, "forged", {"status": forged})
    assert "modelVersion" not in stored.get("status", {})


def test_another_namespace_is_closed(tenant: KubeUser, administrator: KubeUser) -> None:
    victim = administrator.ensure_namespace("victim")
    body = run()
    body["metadata"]["namespace"] = victim
    with pytest.raises(Refused) as refusal:
        tenant.create(body)
    assert refusal.value.code == FORBIDDEN
