"""What a Docker client and its engine must have for a kind cluster, as a list of small checks.

Each check returns a sentence that says what is missing and what to do, or None. The first sentence ends the command:
before an image is built or a cluster made, so nobody waits minutes for an error without its cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.cluster.host.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.cluster.kind.engine import Engine

#: The first version whose engine gives a container control groups of its own, and whose client builds with secrets.
OLDEST = (20, 10)
#: Since this version `docker build` leaves BuildKit to the plugin buildx.
_NEEDS_BUILDX = (23, 0)
#: A cluster, the operator, one run and one serving pod of the demo take less; an engine of 2 GB is too small.
LEAST_MEMORY = 3_500_000_000
_ELSE = "or choose the cluster from packages with PROVIDER=packages (Linux, root)"


def installed(engine: Engine | None) -> str | None:
    """A client must be on PATH."""
    if engine is None:
        return f"There is no program `docker` on PATH: install Docker 20.10 or newer, {_ELSE}."
    return None


def genuine(engine: Engine) -> str | None:
    """Podman's `docker` command is another program: kind treats it as another, experimental provider."""
    if engine.podman:
        return f"The `docker` on PATH is Podman's, which is not supported: install Docker 20.10 or newer, {_ELSE}."
    return None


def permitted(engine: Engine) -> str | None:
    """A user outside the group `docker` reaches no engine although one runs."""
    if engine.denied:
        return (
            f"You may not use the Docker engine at {engine.endpoint}: "
            "add yourself to its group (`sudo usermod -aG docker $USER`, then log in again), or run this with sudo."
        )
    return None


def answering(engine: Engine) -> str | None:
    """The client alone is not enough."""
    if engine.error is not None:
        return f"No Docker engine answers at {engine.endpoint or 'its address'} ({engine.error}): start it, {_ELSE}."
    return None


def recent(engine: Engine) -> str | None:
    """Both client and engine must know secrets and private control groups."""
    for name, found in (("client", engine.client), ("engine", engine.version)):
        if found < OLDEST:
            return f"The Docker {name} is {_words(found)}: install {_words(OLDEST)} or newer, {_ELSE}."
    return None


def local(engine: Engine) -> str | None:
    """Kind's API server listens on the engine's machine, and kind mounts files of this one."""
    if engine.remote:
        return (
            f"The Docker engine is on another machine ({engine.endpoint}), where kind's API server would listen: "
            f"unset DOCKER_HOST or choose a local context with `docker context use default`, {_ELSE}."
        )
    return None


def delegated(engine: Engine) -> str | None:
    """Without root, limits of pods need control groups of version 2 that systemd hands over."""
    if engine.rootless and engine.cgroups == 1:
        return f"Rootless Docker needs control groups of version 2: start an engine that runs as root, {_ELSE}."
    if engine.rootless and not engine.limits:
        return (
            "Rootless Docker may not limit its containers here: let systemd delegate cpu, memory and pids "
            f"(kind.sigs.k8s.io/docs/user/rootless), start an engine that runs as root, {_ELSE}."
        )
    return None


def roomy(engine: Engine) -> str | None:
    """Pods that find no memory are killed one after the other, and nothing says why."""
    if 0 < engine.memory < LEAST_MEMORY:
        where = "in Docker Desktop under Settings, Resources" if engine.desktop else "to its virtual machine"
        return (
            f"The Docker engine has {engine.memory / 1e9:.1f} GB of memory, the cluster needs "
            f"{LEAST_MEMORY / 1e9:.1f}: give more {where}."
        )
    return None


def building(engine: Engine) -> str | None:
    """Newer clients build with secrets only through buildx."""
    if engine.client >= _NEEDS_BUILDX and not engine.buildx:
        return (
            f"The Docker client {_words(engine.client)} cannot build without its plugin buildx: install it "
            f"(Debian, Ubuntu: docker-buildx; Docker's own packages: docker-buildx-plugin), {_ELSE}."
        )
    return None


CHECKS: tuple[Callable[[Engine], str | None], ...] = (
    genuine,
    local,
    permitted,
    answering,
    recent,
    delegated,
    roomy,
    building,
)
#: What even removing a cluster, or asking for its state, needs.
_FIRST = (genuine, local, permitted, answering)


def usable(engine: Engine | None) -> Engine:
    """Return `engine` if its containers can be asked for.

    Raises:
        ClusterError: it cannot be used at all.
    """
    return _judged(engine, _FIRST)


def require(engine: Engine | None) -> Engine:
    """Return `engine` if it can build the images and run a kind cluster.

    Raises:
        ClusterError: it cannot; the message says what to install or to change.
    """
    return _judged(engine, CHECKS)


def _judged(engine: Engine | None, checks: tuple[Callable[[Engine], str | None], ...]) -> Engine:
    if engine is None:
        raise ClusterError(installed(engine) or "")
    for check in checks:
        sentence = check(engine)
        if sentence is not None:
            raise ClusterError(sentence)
    return engine


def _words(version: tuple[int, int]) -> str:
    return ".".join(str(part) for part in version)
