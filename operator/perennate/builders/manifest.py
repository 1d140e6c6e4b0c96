"""What every child has in common: its owner, its labels, and the digest by which an unchanged child is recognised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perennate.api.documents.canonical import canonical_json, digest_bytes
from perennate.api.wellknown import ANNOTATION_APPLIED_HASH, API_VERSION

if TYPE_CHECKING:
    from perennate.api.meta import CustomResource

Manifest = dict[str, Any]
"""An object as the API server takes and gives it: plain JSON values."""


def owner_reference(owner: CustomResource) -> Manifest:
    """The reference that makes `owner` the controller of a child, so that the child is deleted with it."""
    return {
        "apiVersion": API_VERSION,
        "kind": owner.declaration.kind,
        "name": owner.metadata.name,
        "uid": owner.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def controller_uid(child: Manifest) -> str | None:
    """Uid of the object that controls the child, None if nothing does."""
    references = child.get("metadata", {}).get("ownerReferences") or ()
    return next((reference.get("uid") for reference in references if reference.get("controller")), None)


def with_applied_hash(child: Manifest) -> Manifest:
    """The child with an annotation that holds the digest of all its other fields."""
    metadata = child["metadata"]
    digest = digest_bytes(canonical_json(child)).removeprefix("sha256:")[:16]
    annotations = {**metadata.get("annotations", {}), ANNOTATION_APPLIED_HASH: digest}
    return {**child, "metadata": {**metadata, "annotations": annotations}}
