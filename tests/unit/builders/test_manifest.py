"""Owner references, the digest of what was applied, and labels."""

from __future__ import annotations

import pytest

from perennate.api.v1alpha1.model_deployment import Revision
from perennate.api.wellknown import ANNOTATION_APPLIED_HASH
from perennate.builders.labels import owner_label
from perennate.builders.manifest import controller_uid, owner_reference, with_applied_hash
from perennate.builders.serving import serving_deployment
from tests.support.world.objects import make_drift_policy, make_model_deployment, make_training_job, revision


def test_the_owner_is_the_controller_and_blocks_nothing() -> None:
    """The child goes with its owner, and a child does not hold up the deletion of its owner."""
    reference = owner_reference(make_training_job("t"))
    assert controller_uid({"metadata": {"ownerReferences": [reference]}}) == "uid-trainingjob-t"
    assert reference["blockOwnerDeletion"] is False
    assert controller_uid({"metadata": {}}) is None
    assert controller_uid({"metadata": {"ownerReferences": [{**reference, "controller": False}]}}) is None


@pytest.mark.parametrize(
    ("owner", "want"),
    [
        (make_training_job("t"), {"perennate.dev/training-job": "t"}),
        (make_model_deployment("m"), {"perennate.dev/model-deployment": "m"}),
        (make_drift_policy("p"), {"perennate.dev/drift-policy": "p"}),
    ],
    ids=["TrainingJob", "ModelDeployment", "DriftPolicy"],
)
def test_children_are_found_by_their_owners_label(owner: object, want: dict[str, str]) -> None:
    """One label a kind, its value the owner's name."""
    assert owner_label(owner) == want  # type: ignore[arg-type]


def test_the_hash_changes_with_every_field_and_with_nothing_else() -> None:
    """Equal children have equal hashes; any other field makes another one, so that no change is overlooked."""

    def applied(**fields: object) -> str:
        resource = make_model_deployment(**fields)  # type: ignore[arg-type]
        served = Revision.model_validate(revision("v1"))
        child = serving_deployment(resource, revision=served, image="i", pull_policy="Always")
        return str(child["metadata"]["annotations"][ANNOTATION_APPLIED_HASH])

    assert applied() == applied()
    assert applied(spec={"replicas": 1}) == applied()
    assert applied(spec={"replicas": 2}) != applied()
    assert applied(spec={"progressDeadlineSeconds": 11}) != applied()


def test_the_hash_leaves_the_manifest_alone() -> None:
    """The annotated manifest is a new one; other annotations stay."""
    manifest = {"metadata": {"name": "x", "annotations": {"a": "b"}}}
    found = with_applied_hash(manifest)
    assert manifest == {"metadata": {"name": "x", "annotations": {"a": "b"}}}
    assert set(found["metadata"]["annotations"]) == {"a", ANNOTATION_APPLIED_HASH}
