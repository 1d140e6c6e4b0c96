"""`kubectl explain` documents every field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from perennate.api.v1alpha1 import KINDS

if TYPE_CHECKING:
    from tests.support.cluster.kube_user import KubeUser

pytestmark = pytest.mark.integration


def fields(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of a schema with its path, at any depth."""
    for name, child in schema.get("properties", {}).items():
        yield f"{path}.{name}", child
        yield from fields(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from fields(schema[key], f"{path}[]")


@pytest.mark.parametrize("kind", [kind.declaration.kind for kind in KINDS])
def test_explain_describes_every_field(kind: str, user: KubeUser) -> None:
    schemas = user.call("GET", "/openapi/v3/apis/perennate.dev/v1alpha1")["components"]["schemas"]
    schema = schemas[f"dev.perennate.v1alpha1.{kind}"]
    ours = [(path, child) for part in ("spec", "status") for path, child in fields(schema["properties"][part], part)]
    assert len(ours) > 20
    assert [path for path, child in ours if not child.get("description")] == []
