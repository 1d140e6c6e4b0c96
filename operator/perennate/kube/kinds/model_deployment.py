"""ModelDeployment: reads the deployment, its children and pods, and the runs of its model line."""

from __future__ import annotations

from typing import Final

from perennate.api.v1alpha1 import ModelDeployment, TrainingJob
from perennate.api.v1alpha1.model_deployment import ConditionType, ModelDeploymentStatus
from perennate.api.wellknown import ANNOTATION_PROMOTE, ANNOTATION_RETRY, LABEL_MODEL_DEPLOYMENT, STORE_CLAIM
from perennate.kube.kind import Kind
from perennate.kube.reader import Reader
from perennate.kube.runtime.resources import DEPLOYMENT, POD, SERVICE
from perennate.reconcilers.model_deployment.decide import decide
from perennate.reconcilers.model_deployment.dependencies import line_of_run, tracks_line_of_run
from perennate.reconcilers.model_deployment.observed import ModelDeploymentObserved, model_name


async def observe(resource: ModelDeployment, reader: Reader) -> ModelDeploymentObserved:
    """Read what a pass over a ModelDeployment depends on."""
    namespace, name = resource.metadata.namespace, resource.metadata.name
    line = model_name(resource)
    return ModelDeploymentObserved(
        resource=resource,
        # A user's object without our label may have the name: it must be seen before anything is applied over it.
        deployment=await reader.child(DEPLOYMENT, namespace, name, live=True),
        service=await reader.child(SERVICE, namespace, name, live=True),
        pods=await reader.serving_pods(namespace, name, resource.metadata.uid),
        training_jobs=reader.all(TrainingJob, namespace, where=lambda run: line_of_run(run) == line),
        store_claim=await reader.claim_exists(namespace, STORE_CLAIM),
        settings=reader.settings,
        now=reader.now(),
    )


MODEL_DEPLOYMENT: Final = Kind(
    model=ModelDeployment,
    status=ModelDeploymentStatus,
    observe=observe,
    decide=decide,
    summary_condition=ConditionType.READY,
    owns=(DEPLOYMENT, SERVICE, POD),
    pod_label=LABEL_MODEL_DEPLOYMENT,
    depends_on={"TrainingJob": tracks_line_of_run},
    verbs=(ANNOTATION_PROMOTE, ANNOTATION_RETRY),
)
