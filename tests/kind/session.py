"""A Docker engine for the duration of a block, with the images that tests need."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kind.base import image as base_image
from tests.kind.engine import daemon, firewall, leftovers, record, removal, requirements
from tests.kind.engine.client import FOREIGN, Client
from tests.kind.engine.daemon import Folders
from tests.kind.engine.requirements import CLIENT
from tests.kind.node import context, programs
from tests.kind.node import image as node_image
from tools.cluster.host import cache
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import echo, step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.kind.engine.leftovers import Snapshot

_PREFIX = "perennate-docker-"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class LeftoverError(ClusterError):
    """The host differs from its state before the engine; the message lists the differences."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running Docker engine.

    Attributes:
        client: Debian's client for this engine.
        node_image: name of the image for nodes of kind.
        base_image: name of the replacement for python:3.11-slim-bookworm.
        environment: environment variables for programs that use the engine.
    """

    client: Client
    node_image: str
    base_image: str
    environment: Mapping[str, str]


@contextmanager
def engine(kubernetes: str = programs.KUBERNETES) -> Iterator[Engine]:
    """Run a private Docker engine. Only one runs on a machine at a time; others wait.

    Args:
        kubernetes: the version that the node image reports.

    Raises:
        EngineUnavailable: this machine cannot run one.
        ClusterError: the engine could not start, or an image could not be built.
        LeftoverError: the host differs from its state before.
    """
    if _PREFIX in os.environ.get("DOCKER_HOST", ""):
        raise ClusterError("This runs inside another `tests.kind`, and there is one engine at a time: use that one.")
    requirements.require_machine()
    with cache.locked("docker"):
        record.clean_up_after_killed()
        requirements.require()
        # These take minutes and need no engine, so they run first.
        programs.compile_all(kubernetes)
        context.root()
        base_image.parts()
        with _forgotten(), _daemon() as client:
            firewall.isolate(daemon.NETWORK, daemon.BUILD_BRIDGE)
            node, base = node_image.ensure(client, kubernetes), base_image.ensure(client)
            yield Engine(client=client, node_image=node, base_image=base, environment=_environment(client, node, base))


@contextmanager
def _daemon() -> Iterator[Client]:
    """Run dockerd, and compare the host before and after."""
    folders = Folders(data=cache.root() / "docker", run=Path(tempfile.mkdtemp(prefix=_PREFIX)))
    before = leftovers.snapshot(str(folders.run))
    record.write(folders, before)
    try:
        with _started(folders, before) as client:
            yield client
    except BaseException:
        with undisturbed():
            left = _clean(folders, before)
        if left:
            echo(_report(left))
        raise
    with undisturbed():
        forgotten = leftovers.processes(f"DOCKER_HOST={folders.host}")
        left = [f"process left by the command: {text} ({pid})" for pid, text in forgotten.items()]
        left += _clean(folders, before)
    if left:
        raise LeftoverError(_report(left))


def _report(left: list[str]) -> str:
    return "\n  ".join(["The Docker engine left something behind:", *left])


@contextmanager
def _started(folders: Folders, before: Snapshot) -> Iterator[Client]:
    """Run dockerd with images, but without any container."""
    process, daemon_id = daemon.start(folders)
    try:
        record.write(folders, before, daemon_id)
        daemon.wait_ready(process, folders)
        client = Client(folders.socket)
        # The data folder may contain containers of a run that was killed.
        removal.empty(client)
        yield client
    finally:
        with undisturbed(), step("ending the Docker engine"):
            _empty(Client(folders.socket))
            daemon.stop(daemon_id)
            process.wait()


@contextmanager
def _forgotten() -> Iterator[None]:
    """Remove the kubeconfigs of clusters that were created in the block and not removed."""
    folder = cache.location() / "kind"
    before = set(folder.glob("*.kubeconfig"))
    try:
        yield
    finally:
        for path in set(folder.glob("*.kubeconfig")) - before:
            path.unlink()


def _empty(client: Client) -> None:
    """Remove everything but images. If that fails, print the cause and continue, so that the engine is ended."""
    try:
        removal.empty(client)
        removal.prune(client)
    except ClusterError as error:
        echo(str(error))


def _clean(folders: Folders, before: Snapshot) -> list[str]:
    """Restore the host and return the differences that remain."""
    removal.clean(before, folders)
    record.drop()
    return leftovers.differences(before, leftovers.snapshot(str(folders.run)))


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore SIGINT and SIGTERM in the block, so that a removal is not interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _environment(client: Client, node: str, base: str) -> dict[str, str]:
    """Return this process's environment, changed so that programs use the engine behind `client`."""
    client.programs.mkdir()
    (client.programs / "docker").symlink_to(CLIENT)
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return kept | {
        "PATH": f"{client.programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "DOCKER_HOST": client.host,
        "DOCKER_CONFIG": str(client.configuration),
        "KIND_NODE_IMAGE": node,
        "PERENNATE_BASE_IMAGE": base,
        "PROVIDER": "kind",
    }
