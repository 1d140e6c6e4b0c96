"""The CRDs on a real API server: valid objects are accepted, invalid ones rejected, and all fields described."""

from __future__ import annotations

import copy
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from perennate.api.schema import resource_schema
from perennate.api.v1alpha1 import KINDS
from tools.cluster.programs import clients

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.cluster.apiserver import InstalledPlane

pytestmark = pytest.mark.integration

NAMESPACE = "schema"
SPECS: dict[str, dict[str, Any]] = {
    "TrainingJob": {
        "model": {"name": "rain"},
        "trainer": {
            "estimator": {
                "class": "sklearn.linear_model.LogisticRegression",
                "params": {"C": 1, "max_iter": 100, "penalty": None, "class_weight": {"0": 1, "1": 2}},
            }
        },
        "data": {"train": {"uri": "pvc://weather/rows.csv"}, "target": "rain"},
    },
    "ModelDeployment": {"model": {"track": {"name": "rain"}}},
    "DriftPolicy": {"targetRef": {"name": "rain"}},
}
PINNED = {"uri": f"store://rain/versions/{'ab' * 32}", "digest": f"sha256:{'cd' * 32}"}
FROZEN = "is immutable; create another TrainingJob"

# Kind, path of the field, its value, and parts of the error: the field, and what is allowed.
REJECTED: dict[str, tuple[str, tuple[str, ...], Any, tuple[str, ...]]] = {
    "an unknown field": ("TrainingJob", ("modle",), 1, ('unknown field "spec.modle"',)),
    "a wrong type": ("TrainingJob", ("seed",), "many", ("spec.seed", "integer")),
    "a number out of range": ("TrainingJob", ("backoffLimit",), 11, ("spec.backoffLimit", "less than or equal to 10")),
    "an exclusive bound": ("TrainingJob", ("data", "holdout"), {"fraction": 1}, ("spec.data.holdout.fraction",)),
    "a split by time and by group": (
        "TrainingJob",
        ("data", "holdout"),
        {"timeColumn": "day", "groupColumn": "patient"},
        ("spec.data.holdout", "must not have both timeColumn and groupColumn"),
    ),
    "no minimum of rows": (
        "TrainingJob",
        ("evaluation",),
        {"minSamples": 0},
        ("spec.evaluation.minSamples", "equal to 1"),
    ),
    "an unknown choice": ("TrainingJob", ("data", "train", "format"), "xlsx", ("spec.data.train.format", '"parquet"')),
    "two trainers": (
        "TrainingJob",
        ("trainer", "container"),
        {"image": "own/trainer:1"},
        ("spec.trainer", "exactly one of estimator, container"),
    ),
    "no target": ("TrainingJob", ("data",), {"train": {"uri": "file:///rows.csv"}}, ("data.target is required",)),
    "a gate without a threshold": ("TrainingJob", ("evaluation",), {"gates": [{"metric": "auc"}]}, ("min or max",)),
    "a class of another library": ("TrainingJob", ("trainer", "estimator", "class"), "os.system", ("estimator.class",)),
    "two models": ("ModelDeployment", ("model", "pinned"), PINNED, ("exactly one of pinned, track",)),
    "a URI with another digest": ("ModelDeployment", ("model",), {"pinned": PINNED}, ("must end with",)),
    "retraining without a template": (
        "DriftPolicy",
        ("triggers",),
        {"performance": {"metric": "auc"}},
        ("spec.retrain", "retrain is required"),
    ),
    "a warning threshold above the alarm threshold": (
        "DriftPolicy",
        ("warning",),
        0.5,
        ("warning must not be above drifted",),
    ),
    "a namespace in a reference": ("DriftPolicy", ("targetRef", "namespace"), "x", ("unknown field",)),
}
# Immutable fields of a TrainingJob: path and new value.
EDITS: dict[str, tuple[tuple[str, ...], Any]] = {
    "the seed": (("seed",), 7),
    "the model line": (("model", "name"), "snow"),
    "the target": (("data", "target"), "snow"),
    "the value of a parameter": (("trainer", "estimator", "params", "C"), 2),
    "a nested value of a parameter": (("trainer", "estimator", "params", "class_weight"), {"0": 1, "1": 3}),
    "a parameter that is null": (("trainer", "estimator", "params", "penalty"), "l1"),
    "the name of a parameter": (
        ("trainer", "estimator", "params"),
        {"C": 1, "tol": 100, "penalty": None, "class_weight": {"0": 1, "1": 2}},
    ),
    "the resources": (("resources",), {"requests": {"cpu": "1"}}),
    "the deadline": (("activeDeadlineSeconds",), 60),
}


class Kubectl:
    """kubectl for one control plane and one namespace."""

    def __init__(self, plane: InstalledPlane) -> None:
        self._command = [str(clients.compiled_kubectl() / "kubectl"), "--kubeconfig", str(plane.kubeconfig)]

    def __call__(self, *arguments: str, document: dict[str, Any] | None = None) -> tuple[int, str]:
        """Run kubectl; return the exit code and all output."""
        text = yaml.safe_dump(document) if document else None
        result = subprocess.run(
            [*self._command, "--namespace", NAMESPACE, *arguments],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return result.returncode, result.stdout


@pytest.fixture(scope="module")
def kubectl(control_plane: InstalledPlane) -> Iterator[Kubectl]:
    """A kubectl for a new namespace, which is deleted afterwards."""
    run = Kubectl(control_plane)
    assert run("create", "namespace", NAMESPACE)[0] == 0
    yield run
    run("delete", "namespace", NAMESPACE, "--wait=false")


def resource(kind: str, name: str = "sample") -> dict[str, Any]:
    """An object with the smallest valid spec of its kind."""
    metadata = {"name": name, "namespace": NAMESPACE}
    return {
        "apiVersion": "perennate.dev/v1alpha1",
        "kind": kind,
        "metadata": metadata,
        "spec": copy.deepcopy(SPECS[kind]),
    }


def put(spec: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set the field at `path`."""
    for step in path[:-1]:
        spec = spec[step]
    spec[path[-1]] = value


@pytest.mark.parametrize("kind", SPECS)
def test_a_minimal_spec_is_accepted(kubectl: Kubectl, kind: str) -> None:
    """The control for the tests below, which change this spec."""
    code, output = kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", document=resource(kind))
    assert code == 0, output


@pytest.mark.parametrize(("kind", "path", "value", "wanted"), REJECTED.values(), ids=REJECTED)
def test_the_error_for_an_invalid_spec_names_the_field(
    kubectl: Kubectl, kind: str, path: tuple[str, ...], value: Any, wanted: tuple[str, ...]
) -> None:
    document = resource(kind)
    put(document["spec"], path, value)
    code, output = kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", document=document)
    assert code == 1
    assert [words for words in wanted if words not in output] == [], output


@pytest.fixture(scope="module")
def training_job(kubectl: Kubectl) -> dict[str, Any]:
    """A TrainingJob in the cluster."""
    document = resource("TrainingJob", "frozen")
    code, output = kubectl("create", "-f", "-", document=document)
    assert code == 0, output
    return document


@pytest.mark.parametrize(("path", "value"), EDITS.values(), ids=EDITS)
def test_the_spec_of_a_run_is_immutable(
    kubectl: Kubectl, training_job: dict[str, Any], path: tuple[str, ...], value: Any
) -> None:
    """Every field that affects the result, including the names of parameters."""
    document = copy.deepcopy(training_job)
    put(document["spec"], path, value)
    code, output = kubectl("replace", "--dry-run=server", "-f", "-", document=document)
    assert code == 1
    assert f"spec.{path[0]}" in output
    assert FROZEN in output


@pytest.mark.parametrize("change", [{"suspend": True}, {"ttlSecondsAfterFinished": 60}], ids=str)
def test_fields_that_do_not_affect_the_result_are_mutable(
    kubectl: Kubectl, training_job: dict[str, Any], change: dict[str, Any]
) -> None:
    """`suspend` and `ttlSecondsAfterFinished`."""
    document = copy.deepcopy(training_job)
    document["spec"] |= change
    code, output = kubectl("replace", "--dry-run=server", "-f", "-", document=document)
    assert code == 0, output


def test_parameters_are_stored_unchanged(kubectl: Kubectl, training_job: dict[str, Any]) -> None:
    """None is pruned or defaulted, null included."""
    _, output = kubectl("get", "trainingjob", "frozen", "-o", "yaml")
    stored = yaml.safe_load(output)["spec"]["trainer"]["estimator"]["params"]
    assert stored == training_job["spec"]["trainer"]["estimator"]["params"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_explain_describes_every_field(kubectl: Kubectl, kind: Any) -> None:
    """`kubectl explain --recursive` shows the description from the model for every field."""
    schema = resource_schema(kind)
    for part in ("spec", "status"):
        code, output = kubectl("explain", f"{kind.declaration.singular}.{part}")
        assert code == 0, output
        words = " ".join(output.split())
        for name, child in schema["properties"][part]["properties"].items():
            assert f" {name} <" in words
            assert " ".join(child["description"].split()) in words


def test_category_and_short_names_list_all_kinds(kubectl: Kubectl) -> None:
    """`kubectl get mlops` and the short names work."""
    _, output = kubectl("api-resources", "--categories=mlops", "-o", "name")
    assert set(output.split()) == {f"{kind.declaration.plural}.perennate.dev" for kind in KINDS}
    for short in ("tj", "md", "dp"):
        assert kubectl("get", short)[0] == 0


def test_a_model_deployment_can_be_scaled(kubectl: Kubectl) -> None:
    """`kubectl scale` works before the operator has seen the object."""
    document = resource("ModelDeployment", "scaled")
    document["spec"]["replicas"] = 1
    assert kubectl("create", "-f", "-", document=document)[0] == 0
    code, output = kubectl("scale", "modeldeployment/scaled", "--replicas=3")
    assert code == 0, output
    assert kubectl("get", "md", "scaled", "-o", "jsonpath={.spec.replicas}")[1] == "3"
