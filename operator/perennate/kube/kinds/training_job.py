"""TrainingJob: reads the run, its Job and pods, and what its spec refers to."""

from __future__ import annotations

from typing import Final

from perennate.api.v1alpha1 import ModelDeployment, TrainingJob
from perennate.api.v1alpha1.training_job import ConditionType, TrainingJobStatus
from perennate.api.wellknown import LABEL_TRAINING_JOB, STORE_CLAIM
from perennate.kube.kind import Kind
from perennate.kube.reader import Reader
from perennate.kube.runtime.resources import JOB, POD
from perennate.reconcilers.training_job.decide import decide
from perennate.reconcilers.training_job.dependencies import refers_to_deployment
from perennate.reconcilers.training_job.observed import (
    TrainingJobObserved,
    captured_name,
    champion_name,
    data_claim_name,
    has_ended,
    job_name,
)


async def observe(resource: TrainingJob, reader: Reader) -> TrainingJobObserved:
    """Read what a pass over a TrainingJob depends on. Of a finished run only its Job is read."""
    namespace = resource.metadata.namespace
    ended = has_ended(resource)
    begun = resource.status.job_ref is not None
    # Before the first Job there is nothing to confirm: its creation fails if the name is taken.
    job = await reader.child(JOB, namespace, job_name(resource), live=begun and not ended)
    claim = data_claim_name(resource)
    starts = job is None and not ended
    return TrainingJobObserved(
        resource=resource,
        job=job,
        pods=reader.owned(job["metadata"]["uid"], POD) if job is not None else (),
        # Read live: a Job is created next, and its pod would stay pending if the claim is gone.
        store_claim=await reader.claim_exists(namespace, STORE_CLAIM, fresh=True) if starts else True,
        data_claim=(not starts or await reader.claim_exists(namespace, claim, fresh=True)) if claim else None,
        champion=reader.named(ModelDeployment, namespace, champion_name(resource)),
        captured=reader.named(ModelDeployment, namespace, captured_name(resource)),
        settings=reader.settings,
        now=reader.now(),
    )


TRAINING_JOB: Final = Kind(
    model=TrainingJob,
    status=TrainingJobStatus,
    observe=observe,
    decide=decide,
    summary_condition=ConditionType.COMPLETE,
    terminal_conditions=frozenset({ConditionType.COMPLETE, ConditionType.FAILED}),
    owns=(JOB, POD),
    pod_label=LABEL_TRAINING_JOB,
    depends_on={"ModelDeployment": refers_to_deployment},
)
