"""Minimal valid manifests of our kinds; keyword arguments set further fields of the spec."""

from __future__ import annotations

from typing import Any

from perennate.api.meta import Manifest
from perennate.api.v1alpha1 import DriftPolicy
from perennate.api.wellknown import API_VERSION
from perennate.builders.window import drift_window

DIGEST = "sha256:" + "a" * 64
PROFILE_DIGEST = "sha256:" + "b" * 64


def training_job(name: str, namespace: str, *, line: str = "rain", **spec: Any) -> Manifest:
    """A TrainingJob that fits a logistic regression on a file of the store."""
    whole = {
        "model": {"name": line},
        "trainer": {"estimator": {"class": "sklearn.linear_model.LogisticRegression", "params": {"C": 1.0}}},
        "data": {"train": {"uri": "file:///data/train.csv"}, "target": "rain"},
        **spec,
    }
    return _object("TrainingJob", name, namespace, whole)


def model_deployment(name: str, namespace: str, *, line: str = "rain", **spec: Any) -> Manifest:
    """A ModelDeployment that follows a model line."""
    return _object("ModelDeployment", name, namespace, {"model": {"track": {"name": line}}, **spec})


def drift_policy(name: str, namespace: str, *, target: str, **spec: Any) -> Manifest:
    """A DriftPolicy that watches a ModelDeployment."""
    return _object("DriftPolicy", name, namespace, {"targetRef": {"name": target}, **spec})


def window(policy: str, namespace: str, *, uid: str) -> Manifest:
    """The DriftWindow of a DriftPolicy, without data."""
    resource = drift_policy(policy, namespace, target="serve")
    resource["metadata"]["uid"] = uid
    return drift_window(DriftPolicy.model_validate(resource))


def template_of(job: Manifest) -> Manifest:
    """The template for a DriftPolicy that creates such a TrainingJob."""
    return {"trainingJobTemplate": {"spec": job["spec"]}}


def _object(kind: str, name: str, namespace: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
