"""Choice of the provider: PROVIDER if it is set, else kind if a Docker engine answers, else packages."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import echo
from tools.cluster.kind import engine as docker
from tools.cluster.kind import requirements
from tools.cluster.kind.cluster import KindCluster, kubeconfig
from tools.cluster.packages import removal
from tools.cluster.packages.cluster import PackagesCluster

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tools.cluster.instance import Instance
    from tools.cluster.kind.engine import Engine

VARIABLE = "PROVIDER"
PROVIDERS = ("kind", "packages")


class Cluster(Protocol):
    """The interface of both providers."""

    provider: str
    instance: Instance

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of the administrator."""

    @property
    def audit_log(self) -> str:
        """Path of the API server's audit log on the node."""

    def on_node(self, *words: str) -> str:
        """Run a program on the node and return its standard output."""

    def problem(self) -> str | None:
        """Return a short description of what is wrong; None if the cluster is healthy."""

    def up(self) -> None:
        """Start the cluster unless it is running."""

    def down(self) -> None:
        """Remove the cluster and all its resources."""

    def build_images(self, names: Sequence[str] = ...) -> None:
        """Build images; load them if the cluster runs."""

    def load_images(self, names: Sequence[str] = ...) -> None:
        """Load images that are already built."""

    def programs(self) -> Path:
        """Return the folder with kubectl and helm; create it if it is missing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen provider, and a note for the user if the choice may be a surprise."""

    provider: str
    note: str = ""


def choose(wanted: str, engine: Engine | None, *, existing: Sequence[str] = (), linux: bool = True) -> Choice:
    """Choose a provider.

    Args:
        wanted: the value of PROVIDER, or "".
        engine: the Docker client and engine of this machine; None without a client.
        existing: providers of which this instance has a cluster, or leftovers of one.
        linux: whether this machine runs Linux, which packages require.

    Raises:
        ClusterError: PROVIDER has an unknown value.
    """
    if wanted:
        if wanted not in PROVIDERS:
            raise ClusterError(f"{VARIABLE} is {wanted!r}, but must be {' or '.join(PROVIDERS)}.")
        return Choice(wanted)
    if existing:
        return Choice(existing[0])
    if not linux:
        # The checks of kind report what Docker lacks.
        return Choice("kind")
    if engine is None:
        return Choice("packages")
    if engine.podman:
        return Choice("packages", "the `docker` on PATH is Podman's, so the provider is packages")
    if engine.error is not None and not engine.denied and not engine.remote:
        return Choice("packages")
    return Choice("kind")


def cluster(instance: Instance, *, use: bool = True) -> Cluster:
    """Return the cluster of `instance`, with the provider for this machine and PROVIDER.

    Args:
        instance: which cluster.
        use: whether a Docker engine must answer; False if the caller only needs paths.

    Raises:
        ClusterError: no provider works on this machine.
    """
    wanted = os.environ.get(VARIABLE, "")
    engine = None if wanted == "packages" else docker.observe()
    existing = [name for name, there in _existing(instance).items() if there]
    choice = choose(wanted, engine, existing=existing, linux=sys.platform == "linux")
    if choice.note:
        echo(choice.note)
    if choice.provider == "packages":
        return PackagesCluster(instance)
    return KindCluster(instance, requirements.require_reachable(engine) if use or engine is None else engine)


def _existing(instance: Instance) -> dict[str, bool]:
    return {"packages": removal.has_leftovers(instance), "kind": kubeconfig(instance).exists()}
