"""Keys of labels, annotations and resources: the model takes what the API server takes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from perennate.api.qualified import is_qualified_name
from perennate.api.resource_requirements import ResourceRequirements
from perennate.api.v1alpha1.drift_spec import TemplateMetadata

KEYS = ["team", "a", "A.b_c-d", "example.com/team", "x" * 63, f"{'a' * 63}.example/{'x' * 63}", f"{'a' * 253}/x"]
NO_KEYS = [
    *("", "not a key!", "-a", "a-", "x" * 64, "/a", "a/", "a/b/c", "Example.com/team", "a..b/c", "a\n", "$(HOME)"),
    *("\u00e9", f"{'a' * 254}/x", "team\u202e"),
]
NO_VALUES = ["bad value!", "x" * 64, "-a", "a\n", "a/b"]


@pytest.mark.parametrize("key", KEYS)
def test_qualified_names_are_accepted(key: str) -> None:
    assert is_qualified_name(key)
    found = TemplateMetadata(labels={key: "x"}, annotations={key: "any text\n"})
    assert found.labels == {key: "x"}


@pytest.mark.parametrize("key", NO_KEYS)
@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_other_keys_are_refused(field: str, key: str) -> None:
    """The API server would refuse each TrainingJob of the template."""
    with pytest.raises(ValidationError, match="each key must be a name"):
        TemplateMetadata.model_validate({field: {key: "x"}})


@pytest.mark.parametrize("value", NO_VALUES)
def test_values_that_are_no_label_are_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        TemplateMetadata(labels={"key": value})


@pytest.mark.parametrize(
    "quantities", [{"cpu": "500m", "memory": 1, "hugepages-2Mi": "4Mi"}, {"example.com/gpu": 1}, {"cpu": "1e-3"}]
)
def test_resources_of_a_container_are_accepted(quantities: dict[str, Any]) -> None:
    assert ResourceRequirements(requests=quantities, limits=quantities).requests == quantities


@pytest.mark.parametrize("quantities", [{"cpus": 1}, {"not a key/": 1}, {"cpu": -1}, {"cpu": "-1"}, {"pods": 1}])
def test_resources_that_no_container_can_have_are_refused(quantities: dict[str, Any]) -> None:
    """The API server would refuse each Job with them."""
    with pytest.raises(ValidationError):
        ResourceRequirements(requests=quantities)
