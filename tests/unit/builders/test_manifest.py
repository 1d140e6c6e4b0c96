"""Owner references, the applied-hash annotation, and labels."""

from __future__ import annotations

import pytest

from perennate.api.v1alpha1.model_deployment import Revision
from perennate.api.wellknown import ANNOTATION_APPLIED_HASH
from perennate.builders.labels import owner_label
from perennate.builders.manifest import controller_uid, owner_reference, with_applied_hash
from perennate.builders.serving import serving_deployment
from tests.support.world.objects import make_drift_policy, make_model_deployment, make_training_job, revision


def test_the_owner_reference_is_a_controller_and_does_not_block_deletion() -> None:
    """The owner is the controller, so its children are deleted with it; they do not block its deletion."""
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
def test_children_have_a_label_with_their_owners_name(owner: object, want: dict[str, str]) -> None:
    """Each kind has one label key; the value is the owner's name."""
    assert owner_label(owner) == want  # type: ignore[arg-type]


def test_the_applied_hash_changes_with_the_content_only() -> None:
    """Equal children have equal hashes, and a change of any field changes the hash, so that no change is missed."""

    def applied(**fields: object) -> str:
        resource = make_model_deployment(**fields)  # type: ignore[arg-type]
        served = Revision.model_validate(revision("v1"))
        child = serving_deployment(resource, revision=served, image="i", pull_policy="Always")
        return str(child["metadata"]["annotations"][ANNOTATION_APPLIED_HASH])

    assert applied() == applied()
    assert applied(spec={"replicas": 1}) == applied()
    assert applied(spec={"replicas": 2}) != applied()
    assert applied(spec={"progressDeadlineSeconds": 11}) != applied()


def test_adding_the_applied_hash_does_not_modify_the_manifest() -> None:
    """The annotation is added to a copy, which keeps the other annotations."""
    manifest = {"metadata": {"name": "x", "annotations": {"a": "b"}}}
    found = with_applied_hash(manifest)
    assert manifest == {"metadata": {"name": "x", "annotations": {"a": "b"}}}
    assert set(found["metadata"]["annotations"]) == {"a", ANNOTATION_APPLIED_HASH}
