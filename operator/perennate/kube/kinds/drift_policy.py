"""DriftPolicy: reads the policy, its target, the state of its watch, and the run of its newest episode."""

from __future__ import annotations

from typing import Final

from perennate.api.v1alpha1 import DriftPolicy, ModelDeployment, TrainingJob
from perennate.api.v1alpha1.drift_policy import ConditionType, DriftPolicyStatus
from perennate.api.wellknown import ANNOTATION_RETRAIN
from perennate.kube.kind import Kind
from perennate.kube.kinds.training_job import TRAINING_JOB
from perennate.kube.reader import Reader
from perennate.reconcilers.drift_policy.decide import decide
from perennate.reconcilers.drift_policy.dependencies import targets_deployment
from perennate.reconcilers.drift_policy.gauges import GAUGES
from perennate.reconcilers.drift_policy.observed import DriftPolicyObserved, training_job_name
from perennate.reconcilers.drift_policy.watching import watch_of


async def observe(resource: DriftPolicy, reader: Reader) -> DriftPolicyObserved:
    """Read what a pass over a DriftPolicy depends on."""
    metadata = resource.metadata
    target = reader.named(ModelDeployment, metadata.namespace, resource.spec.target_ref.name)
    watch = watch_of(resource, target)
    return DriftPolicyObserved(
        resource=resource,
        target=target,
        training_job=await _run_of_episode(resource, reader),
        watch=watch,
        state=reader.watch_state(resource.declaration.kind, metadata.namespace, metadata.name, watch),
        now=reader.now(),
    )


async def _run_of_episode(resource: DriftPolicy, reader: Reader) -> TrainingJob | None:
    name = training_job_name(resource)
    if name is None:
        return None
    episode = resource.status.episode
    ended = episode is not None and episode.closed_at is not None
    manifest = await reader.child(TRAINING_JOB.resource, resource.metadata.namespace, name, live=not ended)
    return reader.parsed(TrainingJob, manifest)


DRIFT_POLICY: Final = Kind(
    model=DriftPolicy,
    status=DriftPolicyStatus,
    observe=observe,
    decide=decide,
    summary_condition=ConditionType.READY,
    depends_on={"ModelDeployment": targets_deployment},
    verbs=(ANNOTATION_RETRAIN,),
    gauges=GAUGES,
)
