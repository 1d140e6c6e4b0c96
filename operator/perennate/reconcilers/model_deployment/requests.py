"""Requests of a person by annotation. Each value is handled once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennate.api.wellknown import ANNOTATION_PROMOTE, ANNOTATION_RETRY
from perennate.reconcilers.wording import TEXT_LIMIT, truncate

if TYPE_CHECKING:
    from perennate.api.v1alpha1 import ModelDeployment


@dataclass(frozen=True)
class Requests:
    """Unhandled requests, and the values that are handled after this pass.

    Attributes:
        promote: roll out the candidate now.
        retry: forget the rejected versions.
        handled_promotion: value of the promote annotation, once handled.
        handled_retry: value of the retry annotation, once handled.
    """

    promote: bool
    retry: bool
    handled_promotion: str | None
    handled_retry: str | None


def read_requests(resource: ModelDeployment) -> Requests:
    """Read the requests from the annotations of an object."""
    annotations, status = resource.metadata.annotations, resource.status
    promotion = truncate(annotations.get(ANNOTATION_PROMOTE, ""), TEXT_LIMIT) or None
    retry = truncate(annotations.get(ANNOTATION_RETRY, ""), TEXT_LIMIT) or None
    return Requests(
        promote=promotion is not None and promotion != status.handled_promotion,
        retry=retry is not None and retry != status.handled_retry,
        handled_promotion=promotion or status.handled_promotion,
        handled_retry=retry or status.handled_retry,
    )
