"""Labels of child objects: owner, component and model line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from perennate.api.wellknown import (
    LABEL_COMPONENT,
    LABEL_DRIFT_POLICY,
    LABEL_INSTANCE,
    LABEL_MANAGED_BY,
    LABEL_MODEL,
    LABEL_MODEL_DEPLOYMENT,
    LABEL_NAME,
    LABEL_PART_OF,
    LABEL_TRAINING_JOB,
    PART_OF,
)
from perennate.builders.names import label_value

if TYPE_CHECKING:
    from perennate.api.meta import CustomResource

Component = Literal["training", "serving", "retraining", "store", "window"]

_OWNER_LABELS: Final = {
    "TrainingJob": LABEL_TRAINING_JOB,
    "ModelDeployment": LABEL_MODEL_DEPLOYMENT,
    "DriftPolicy": LABEL_DRIFT_POLICY,
}


def owner_label(owner: CustomResource) -> dict[str, str]:
    """The label that selects the children of an owner."""
    return {_OWNER_LABELS[owner.declaration.kind]: label_value(owner.metadata.name)}


def common_labels(component: Component, instance: str) -> dict[str, str]:
    """The recommended labels of Kubernetes."""
    return {
        LABEL_NAME: f"{PART_OF}-{component}",
        LABEL_INSTANCE: label_value(instance),
        LABEL_COMPONENT: component,
        LABEL_PART_OF: PART_OF,
        LABEL_MANAGED_BY: PART_OF,
    }


def child_labels(owner: CustomResource, component: Component, *, model: str) -> dict[str, str]:
    """Labels of a child of `owner` for the model line `model`."""
    return {
        **common_labels(component, owner.metadata.name),
        **owner_label(owner),
        LABEL_MODEL: label_value(model),
    }
