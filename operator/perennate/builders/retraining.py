"""The child of a DriftPolicy: the TrainingJob of an episode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.wellknown import ANNOTATION_EPISODE, ANNOTATION_TRIGGER, ANNOTATION_TRIGGER_REASON, API_VERSION
from perennate.builders import names
from perennate.builders.labels import child_labels
from perennate.builders.manifest import owner_reference

if TYPE_CHECKING:
    from perennate.api.meta import Manifest
    from perennate.api.v1alpha1 import DriftPolicy
    from perennate.api.v1alpha1.drift_policy import Episode
    from perennate.api.v1alpha1.drift_spec import Retrain


def episode_training_job(resource: DriftPolicy, retrain: Retrain, episode: Episode) -> Manifest:
    """The TrainingJob of an episode: the template of the policy with labels and annotations of the episode."""
    template = retrain.training_job_template
    metadata = resource.metadata
    return {
        "apiVersion": API_VERSION,
        "kind": "TrainingJob",
        "metadata": {
            "name": names.episode_training_job(metadata.name, uid=metadata.uid, number=episode.number),
            "namespace": metadata.namespace,
            "labels": {
                **template.metadata.labels,
                **child_labels(resource, "retraining", model=template.spec.model.name),
            },
            "annotations": {
                **template.metadata.annotations,
                ANNOTATION_EPISODE: episode.id,
                ANNOTATION_TRIGGER: episode.trigger,
                ANNOTATION_TRIGGER_REASON: episode.message,
            },
            "ownerReferences": [owner_reference(resource)],
        },
        "spec": template.spec.to_document(),
    }
