"""Owner reference and applied hash of child objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennate.api.documents.canonical import canonical_json, digest_bytes
from perennate.api.wellknown import ANNOTATION_APPLIED_HASH, API_VERSION

if TYPE_CHECKING:
    from perennate.api.meta import CustomResource, Manifest


def owner_reference(owner: CustomResource) -> Manifest:
    """The owner reference that makes `owner` the controller of a child, so that it is garbage-collected."""
    return {
        "apiVersion": API_VERSION,
        "kind": owner.declaration.kind,
        "name": owner.metadata.name,
        "uid": owner.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def controller_uid(child: Manifest) -> str | None:
    """Uid of the controller of a child. None if it has no controller."""
    references = child.get("metadata", {}).get("ownerReferences") or ()
    return next((reference.get("uid") for reference in references if reference.get("controller")), None)


def applied_hash(child: Manifest) -> str | None:
    """The digest that `with_applied_hash` added, None if there is none."""
    value = (child["metadata"].get("annotations") or {}).get(ANNOTATION_APPLIED_HASH)
    return None if value is None else str(value)


def with_applied_hash(child: Manifest) -> Manifest:
    """The child with an annotation that holds the digest of its other fields. An equal child is not applied again."""
    metadata = child["metadata"]
    digest = digest_bytes(canonical_json(child)).removeprefix("sha256:")[:16]
    annotations = {**metadata.get("annotations", {}), ANNOTATION_APPLIED_HASH: digest}
    return {**child, "metadata": {**metadata, "annotations": annotations}}
