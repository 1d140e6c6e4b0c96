"""Settings of the installation that decisions need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perennate.builders import training

if TYPE_CHECKING:
    from perennate.api.meta import Manifest


@dataclass(frozen=True)
class InstallationSettings:
    """Images of the pods, and properties of the store.

    Attributes:
        trainer_image: image of the stages of a training run.
        serving_image: image of serving pods.
        store_size: size of a namespace's store claim, as a Kubernetes quantity.
        store_class: storage class of the claim; None for the default of the cluster.
        store_access_mode: access mode of the claim; ReadWriteMany if pods run on several nodes.
        image_pull_policy: pull policy of both images.
    """

    trainer_image: str
    serving_image: str
    store_size: str = "5Gi"
    store_class: str | None = None
    store_access_mode: Literal["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"] = "ReadWriteOnce"
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"


def missing_store_claim(namespace: str, settings: InstallationSettings, *, exists: bool) -> tuple[Manifest, ...]:
    """The store claim of a namespace, to be created; nothing if it exists."""
    if exists:
        return ()
    claim = training.store_claim(
        namespace,
        size=settings.store_size,
        storage_class=settings.store_class,
        access_mode=settings.store_access_mode,
    )
    return (claim,)
