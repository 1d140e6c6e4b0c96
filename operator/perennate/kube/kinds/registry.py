"""The registry of kinds: the only list of kinds in the operator."""

from __future__ import annotations

from typing import Final

from perennate.kube.kind import Registry
from perennate.kube.kinds.drift_policy import DRIFT_POLICY
from perennate.kube.kinds.model_deployment import MODEL_DEPLOYMENT
from perennate.kube.kinds.training_job import TRAINING_JOB

REGISTRY: Final = Registry((TRAINING_JOB, MODEL_DEPLOYMENT, DRIFT_POLICY))
RESOURCES: Final = REGISTRY.resources
