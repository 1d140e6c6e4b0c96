"""An unusable engine is rejected with a one-sentence error, before anything is built or created."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tools.cluster.host.errors import ClusterError
from tools.cluster.kind import requirements
from tools.cluster.kind.engine import Engine

_DOCKER = "unix:///var/run/docker.sock"
GOOD = Engine(client=(20, 10), endpoint=_DOCKER, version=(20, 10), memory=8_000_000_000)

USABLE = {
    "Docker of Debian 12, cgroup v1": replace(GOOD, cgroups=1),
    "a new client with buildx": replace(GOOD, client=(29, 0), version=(29, 0), buildx=True),
    "Docker Desktop on a Mac": replace(
        GOOD,
        client=(29, 0),
        buildx=True,
        system="Docker Desktop",
        memory=4_100_000_000,
        endpoint="unix:///Users/me/.docker/run/docker.sock",
    ),
    "rootless Docker with cgroup v2": replace(GOOD, rootless=True),
    "an engine behind a port of this machine": replace(GOOD, endpoint="tcp://127.0.0.1:2375"),
}

REJECTED = {
    "Podman's docker command": (Engine(client=(4, 3), podman=True), "is Podman's", "install Docker 20.10"),
    "a user outside the group docker": (
        replace(GOOD, error="permission denied while trying to connect"),
        f"Permission denied for the Docker engine at {_DOCKER}",
        "usermod -aG docker",
    ),
    "an engine that was not started": (replace(GOOD, error="Is it running?"), "No Docker engine answers", "start it"),
    "an old client": (replace(GOOD, client=(19, 3)), "client is 19.3", "install 20.10 or newer"),
    "an old engine": (replace(GOOD, version=(18, 9)), "engine is 18.9", "install 20.10 or newer"),
    "an engine on another machine": (
        replace(GOOD, endpoint="ssh://me@build.example"),
        "on another machine (ssh://me@build.example)",
        "unset DOCKER_HOST",
    ),
    "an engine behind another machine's port": (
        replace(GOOD, endpoint="tcp://192.0.2.7:2376"),
        "another machine",
        "unset",
    ),
    "rootless Docker with cgroup v1": (
        replace(GOOD, rootless=True, cgroups=1),
        "needs cgroup v2",
        "runs as root",
    ),
    "rootless Docker without delegated controllers": (
        replace(GOOD, rootless=True, limits=False),
        "cannot limit containers",
        "delegate",
    ),
    "2 GB of memory": (replace(GOOD, memory=2_080_000_000), "has 2.1 GB of memory", "increase it"),
    "a new client without buildx": (replace(GOOD, client=(28, 2)), "cannot build without", "docker-buildx"),
}


@pytest.mark.parametrize("case", USABLE)
def test_a_usable_engine_is_accepted(case: str) -> None:
    assert requirements.require(USABLE[case]) is USABLE[case]


@pytest.mark.parametrize("case", REJECTED)
def test_an_unusable_engine_is_rejected_with_cause_and_remedy(case: str) -> None:
    engine, cause, advice = REJECTED[case]
    with pytest.raises(ClusterError) as caught:
        requirements.require(engine)
    message = str(caught.value)
    assert cause in message
    assert advice in message
    assert "\n" not in message


def test_a_missing_docker_client_is_rejected() -> None:
    """PROVIDER=kind on a machine without the client."""
    with pytest.raises(ClusterError, match="no program `docker` on PATH: install Docker"):
        requirements.require(None)


def test_require_reachable_skips_checks_of_builds_and_starts() -> None:
    """`cluster-down` works without buildx and with little memory."""
    for case in ("2 GB of memory", "a new client without buildx"):
        assert requirements.require_reachable(REJECTED[case][0]) is REJECTED[case][0]


def test_every_check_has_a_failing_case() -> None:
    reached = {
        next(check for check in requirements.CHECKS if check(engine) is not None) for engine, _, _ in REJECTED.values()
    }
    assert reached == set(requirements.CHECKS)
