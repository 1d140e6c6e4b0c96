"""Version checks of kubectl and helm on PATH."""

from __future__ import annotations

import pytest

from tools.cluster.programs import clients


@pytest.mark.parametrize(
    ("output", "want"),
    [
        ("Client Version: v1.35.4\nKustomize Version: v5.7.1\n", True),
        ("Client Version: v1.36.3\nKustomize Version: v5.8.1\n", True),
        ("Client Version: v1.34.0\n", True),
        ("Client Version: v1.32.4-dispatcher\nKustomize Version: v5.5.0\n", False),
        ("Client Version: v1.37.0\n", False),
        ("", False),
    ],
)
def test_kubectl_is_at_most_one_minor_version_from_the_server(output: str, want: bool) -> None:
    """Kubernetes supports no larger version skew."""
    assert clients.kubectl_is_compatible(output) is want


@pytest.mark.parametrize(
    ("output", "want"), [("v4.2.3+g43e8b7f\n", True), ("v3.19.0+g3d8990f\n", False), ("", False), ("v10.0.0", True)]
)
def test_helm_is_version_4_or_newer(output: str, want: bool) -> None:
    """The documents show the output of Helm 4."""
    assert clients.helm_is_compatible(output) is want
