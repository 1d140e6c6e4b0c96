"""Which way to a cluster is taken: kind where a Docker engine answers, else packages, or what PROVIDER says."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tools.cluster.host.errors import ClusterError
from tools.cluster.host.progress import say
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
    """What both providers offer."""

    provider: str
    instance: Instance

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of an administrator."""

    @property
    def audit_log(self) -> str:
        """Path of the API server's audit log on the node."""

    def on_node(self, *words: str) -> str:
        """Run a program on the node and return its standard output."""

    def trouble(self) -> str | None:
        """Tell what is wrong in a few words; None if it works."""

    def up(self) -> None:
        """Make the cluster run."""

    def down(self) -> None:
        """Remove everything of it."""

    def build_images(self, names: Sequence[str] = ...) -> None:
        """Build images; load them if the cluster runs."""

    def load_images(self, names: Sequence[str] = ...) -> None:
        """Load images that were built before."""

    def programs(self) -> Path:
        """Return the folder with kubectl and helm, making it if need be."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The provider to take, and why if that is worth a line."""

    provider: str
    note: str = ""


def choose(wanted: str, engine: Engine | None, *, remains: Sequence[str] = (), linux: bool = True) -> Choice:
    """Choose a provider.

    Args:
        wanted: the value of PROVIDER, or "".
        engine: the Docker client and engine of this machine; None without a client.
        remains: providers of which this instance has a cluster, or the rest of one.
        linux: whether this machine runs Linux, without which there is no cluster from packages.

    Raises:
        ClusterError: PROVIDER is misspelt, or there is no way to a cluster here.
    """
    if wanted:
        if wanted not in PROVIDERS:
            raise ClusterError(f"{VARIABLE} is {wanted!r}: it can be {' or '.join(PROVIDERS)}.")
        return Choice(wanted)
    if remains:
        return Choice(remains[0])
    if not linux:
        # Whatever Docker lacks is said by its own check.
        return Choice("kind")
    if engine is None:
        return Choice("packages")
    if engine.podman:
        return Choice("packages", "the `docker` on PATH is Podman's, so the cluster is made from packages")
    if engine.error is not None and not engine.denied and not engine.remote:
        return Choice("packages")
    return Choice("kind")


def cluster(instance: Instance, *, use: bool = True) -> Cluster:
    """Return the cluster of `instance`, by the provider that this machine and PROVIDER lead to.

    Args:
        instance: which cluster.
        use: whether more is asked of it than where its files and programs are; then a Docker engine must answer.

    Raises:
        ClusterError: there is no way to a cluster here.
    """
    wanted = os.environ.get(VARIABLE, "")
    engine = None if wanted == "packages" else docker.observe()
    remains = [name for name, there in _remains(instance).items() if there]
    choice = choose(wanted, engine, remains=remains, linux=sys.platform == "linux")
    if choice.note:
        say(choice.note)
    if choice.provider == "packages":
        return PackagesCluster(instance)
    return KindCluster(instance, requirements.usable(engine) if use or engine is None else engine)


def _remains(instance: Instance) -> dict[str, bool]:
    return {"packages": removal.remains(instance), "kind": kubeconfig(instance).exists()}
