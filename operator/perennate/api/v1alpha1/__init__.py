"""The kinds of `perennate.dev/v1alpha1`."""

from __future__ import annotations

from perennate.api.v1alpha1.drift_policy import DriftPolicy
from perennate.api.v1alpha1.model_deployment import ModelDeployment
from perennate.api.v1alpha1.training_job import TrainingJob

KINDS = (TrainingJob, ModelDeployment, DriftPolicy)
"""All kinds, in the order in which the loop uses them."""

__all__ = ["KINDS", "DriftPolicy", "ModelDeployment", "TrainingJob"]
