"""Checks of the Docker client and its engine, before a kind cluster is created.

Each check is named after a problem. It returns one sentence that says what is wrong and what to do, or None. The first
problem ends the command before it builds an image or creates a cluster, so it fails fast and with a clear cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.cluster.host.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.cluster.kind.engine import Engine

#: The first version with private cgroup namespaces (engine) and build secrets (client).
OLDEST = (20, 10)
#: Since this version, `docker build` needs the buildx plugin for BuildKit.
_NEEDS_BUILDX = (23, 0)
#: Enough for the demo: the cluster, the operator, one run and one serving pod. 2 GB is not enough.
LEAST_MEMORY = 3_500_000_000
_OR_PACKAGES = "or set PROVIDER=packages (Linux, root)"


def client_missing(engine: Engine | None) -> str | None:
    """Check that a client is on PATH."""
    if engine is None:
        return f"There is no program `docker` on PATH: install Docker 20.10 or newer, {_OR_PACKAGES}."
    return None


def client_is_podman(engine: Engine) -> str | None:
    """Check that `docker` is not Podman's command, which kind supports only as an experimental provider."""
    if engine.podman:
        return (
            f"The `docker` on PATH is Podman's, which is not supported: install Docker 20.10 or newer, {_OR_PACKAGES}."
        )
    return None


def permission_denied(engine: Engine) -> str | None:
    """Check that the user may access the socket of the engine."""
    if engine.denied:
        return (
            f"Permission denied for the Docker engine at {engine.endpoint}: "
            "add yourself to its group (`sudo usermod -aG docker $USER`, then log in again), or run this with sudo."
        )
    return None


def engine_unreachable(engine: Engine) -> str | None:
    """Check that an engine answers."""
    if engine.error is not None:
        where = engine.endpoint or "its address"
        return f"No Docker engine answers at {where} ({engine.error}): start it, {_OR_PACKAGES}."
    return None


def version_too_old(engine: Engine) -> str | None:
    """Check the versions of client and engine."""
    for name, found in (("client", engine.client), ("engine", engine.version)):
        if found < OLDEST:
            oldest = _version_text(OLDEST)
            return f"The Docker {name} is {_version_text(found)}: install {oldest} or newer, {_OR_PACKAGES}."
    return None


def engine_is_remote(engine: Engine) -> str | None:
    """Check that the engine is local: kind mounts local files, and its API server listens on the engine's machine."""
    if engine.remote:
        return (
            f"The Docker engine is on another machine ({engine.endpoint}), but kind needs a local one: "
            f"unset DOCKER_HOST or choose a local context with `docker context use default`, {_OR_PACKAGES}."
        )
    return None


def cgroups_not_delegated(engine: Engine) -> str | None:
    """Check that a rootless engine can limit pods, which needs cgroup v2 with delegated controllers."""
    if engine.rootless and engine.cgroups == 1:
        return f"Rootless Docker needs cgroup v2: start an engine that runs as root, {_OR_PACKAGES}."
    if engine.rootless and not engine.limits:
        return (
            "Rootless Docker cannot limit containers on this machine: let systemd delegate cpu, memory and pids "
            f"(kind.sigs.k8s.io/docs/user/rootless), start an engine that runs as root, {_OR_PACKAGES}."
        )
    return None


def too_little_memory(engine: Engine) -> str | None:
    """Check the memory of the engine. With too little, pods are OOM-killed without a clear cause."""
    if 0 < engine.memory < LEAST_MEMORY:
        where = "in Docker Desktop under Settings, Resources" if engine.desktop else "for its virtual machine"
        return (
            f"The Docker engine has {engine.memory / 1e9:.1f} GB of memory, but the cluster needs "
            f"{LEAST_MEMORY / 1e9:.1f} GB: increase it {where}."
        )
    return None


def buildx_missing(engine: Engine) -> str | None:
    """Check for buildx, which newer clients need to build with secrets."""
    if engine.client >= _NEEDS_BUILDX and not engine.buildx:
        return (
            f"The Docker client {_version_text(engine.client)} cannot build without the buildx plugin: install it "
            f"(Debian, Ubuntu: docker-buildx; Docker's own packages: docker-buildx-plugin), {_OR_PACKAGES}."
        )
    return None


CHECKS: tuple[Callable[[Engine], str | None], ...] = (
    client_is_podman,
    engine_is_remote,
    permission_denied,
    engine_unreachable,
    version_too_old,
    cgroups_not_delegated,
    too_little_memory,
    buildx_missing,
)
#: The checks that `down` and `status` need.
_REACHABLE = (client_is_podman, engine_is_remote, permission_denied, engine_unreachable)


def require_reachable(engine: Engine | None) -> Engine:
    """Return `engine` if it can list containers, which `down` and `status` need.

    Raises:
        ClusterError: it cannot be used.
    """
    return _checked(engine, _REACHABLE)


def require(engine: Engine | None) -> Engine:
    """Return `engine` if it can build the images and run a kind cluster.

    Raises:
        ClusterError: it cannot; the message says what to install or to change.
    """
    return _checked(engine, CHECKS)


def _checked(engine: Engine | None, checks: tuple[Callable[[Engine], str | None], ...]) -> Engine:
    if engine is None:
        raise ClusterError(client_missing(engine) or "")
    for check in checks:
        problem = check(engine)
        if problem is not None:
            raise ClusterError(problem)
    return engine


def _version_text(version: tuple[int, int]) -> str:
    return ".".join(str(part) for part in version)
