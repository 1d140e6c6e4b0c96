"""Preconditions of the start of a run. Checked only while there is no Job, so that a running Job is never disturbed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate.api.v1alpha1.training_job import Reason
from perennate.builders.training import encode_request
from perennate.reconcilers.chain import Chain, Violation
from perennate.reconcilers.training_job.observed import captured_name, champion_name, data_claim_name, data_uri
from perennate.reconcilers.training_job.request import build_request

if TYPE_CHECKING:
    from perennate.reconcilers.training_job.observed import TrainingJobObserved

REQUEST_LIMIT: Final = 100_000
"""Maximum size of a run request in bytes: Linux allows 128 KiB in one environment variable."""


def data_claim_exists(observed: TrainingJobObserved) -> Violation | None:
    """The claim with the training data exists."""
    claim = data_claim_name(observed.resource)
    if claim is None or observed.data_claim:
        return None
    return _missing(observed, data_uri(observed.resource)[0], "claim", claim)


def captured_deployment_exists(observed: TrainingJobObserved) -> Violation | None:
    """The ModelDeployment whose captured rows are used exists."""
    name = captured_name(observed.resource)
    if name is None or observed.captured is not None:
        return None
    return _missing(observed, "spec.data.captured.modelDeployment", "ModelDeployment", name)


def champion_deployment_exists(observed: TrainingJobObserved) -> Violation | None:
    """The ModelDeployment of the champion exists; it need not serve a version yet."""
    name = champion_name(observed.resource)
    if name is None or observed.champion is not None:
        return None
    return _missing(observed, "spec.evaluation.champion.deployment", "ModelDeployment", name)


def request_fits(observed: TrainingJobObserved) -> Violation | None:
    """The run request fits into an environment variable."""
    size = len(encode_request(build_request(observed)).encode())
    if size <= REQUEST_LIMIT:
        return None
    return Violation(
        Reason.INVALID_SPEC,
        f"spec: must be at most {REQUEST_LIMIT} bytes of JSON to be passed to the pod; got {size}; "
        "shorten spec.data.features or spec.trainer",
    )


BEFORE_START: Final = Chain((data_claim_exists, captured_deployment_exists, champion_deployment_exists, request_fits))
"""A violation of one of these delays the start; they are checked again until all pass."""


def _missing(observed: TrainingJobObserved, path: str, kind: str, name: str) -> Violation:
    return Violation(
        Reason.REFERENCE_NOT_FOUND,
        f'{path}: {kind} "{name}" does not exist in namespace "{observed.resource.metadata.namespace}"; '
        f"create it, or replace this TrainingJob with one that refers to an existing {kind}",
    )
