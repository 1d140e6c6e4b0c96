"""Choice of the provider."""

from __future__ import annotations

import pytest

from tools.cluster.host.errors import ClusterError
from tools.cluster.kind.engine import Engine
from tools.cluster.provider import choose

_DOCKER = Engine(client=(20, 10), version=(20, 10))
_STOPPED = Engine(client=(20, 10), error="Cannot connect to the Docker daemon")
_DENIED = Engine(client=(20, 10), error="permission denied while trying to connect to the Docker daemon socket")
_REMOTE = Engine(client=(20, 10), endpoint="ssh://me@build.example", error="not queried")
_PODMAN = Engine(client=(4, 3), podman=True)


@pytest.mark.parametrize(
    ("engine", "linux", "want"),
    [
        (_DOCKER, True, "kind"),
        (_STOPPED, True, "packages"),
        (None, True, "packages"),
        (_PODMAN, True, "packages"),
        # The user intends to use this engine; the checks of kind report the problem.
        (_DENIED, True, "kind"),
        (_REMOTE, True, "kind"),
        # Without Linux, packages do not work, so the checks of kind say what to install or start.
        (_DOCKER, False, "kind"),
        (_STOPPED, False, "kind"),
        (None, False, "kind"),
        (_PODMAN, False, "kind"),
    ],
)
def test_the_default_provider_depends_on_the_docker_engine(engine: Engine | None, linux: bool, want: str) -> None:
    """Kind if a Docker engine answers or is configured, otherwise packages."""
    assert choose("", engine, linux=linux).provider == want


@pytest.mark.parametrize("wanted", ["kind", "packages"])
def test_the_environment_variable_has_priority(wanted: str) -> None:
    """PROVIDER overrides the machine and an existing cluster."""
    for engine in (_DOCKER, _STOPPED, None):
        assert choose(wanted, engine, existing=["kind", "packages"]).provider == wanted


@pytest.mark.parametrize("remains", ["kind", "packages"])
def test_an_existing_cluster_keeps_its_provider(remains: str) -> None:
    """`cluster-down` must find the cluster even if an engine was started or stopped since."""
    for engine in (_DOCKER, _STOPPED):
        assert choose("", engine, existing=[remains]).provider == remains


def test_podman_is_skipped_with_a_message() -> None:
    """The message explains why Podman's `docker` is not used."""
    assert "Podman" in choose("", _PODMAN).note


def test_an_unknown_provider_is_rejected() -> None:
    with pytest.raises(ClusterError, match="PROVIDER is 'docker', but must be kind or packages"):
        choose("docker", _DOCKER)
