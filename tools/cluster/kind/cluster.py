"""The cluster that kind makes, for machines with a Docker engine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host import cache
from tools.cluster.host.commands import run, succeeds
from tools.cluster.host.progress import say, step
from tools.cluster.images import images
from tools.cluster.instance import CHECKOUT
from tools.cluster.programs import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.cluster.instance import Instance

CONFIGURATION = CHECKOUT / "kind-config.yaml"
_WAIT = "180s"


def docker_answers() -> bool:
    """Tell whether a Docker engine answers; the client alone is not enough."""
    return shutil.which("docker") is not None and succeeds(["docker", "info"])


class KindCluster:
    """One instance of a kind cluster, running or not."""

    provider = "kind"

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of an administrator."""
        return cache.root() / "kind" / f"{self.instance.id}.kubeconfig"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log, a path inside the node's container."""
        return Path("/var/log/kubernetes/audit.jsonl")

    @property
    def container(self) -> str:
        """Name of the node's container."""
        return f"{self.instance.id}-control-plane"

    def trouble(self) -> str | None:
        """Tell what is wrong with this cluster in a few words; None if it works, "not started" if there is none."""
        if self.instance.id not in run([self._kind(), "get", "clusters"], what="list kind's clusters").split():
            return "not started"
        ready = [compiled.kube(), "kubectl", "--kubeconfig", self.kubeconfig, "get", "--raw=/readyz"]
        return None if succeeds(ready) else "its API server does not answer"

    def up(self) -> None:
        """Make the cluster run; does nothing if it does, and replaces one that is broken."""
        trouble = self.trouble()
        if trouble is None:
            say(f"the cluster {self.instance.id} is up already")
            return
        if trouble != "not started":
            say(f"replacing the cluster {self.instance.id}: {trouble}")
            self.down()
        self.kubeconfig.parent.mkdir(exist_ok=True)
        command = [
            self._kind(),
            "create",
            "cluster",
            "--name",
            self.instance.id,
            "--config",
            CONFIGURATION,
            "--wait",
            _WAIT,
        ]
        with step("creating a kind cluster"):
            run([*command, "--kubeconfig", self.kubeconfig], what="create a kind cluster", cwd=CHECKOUT)

    def down(self) -> None:
        """Delete the cluster and its kubeconfig."""
        run(
            [self._kind(), "delete", "cluster", "--name", self.instance.id, "--kubeconfig", self.kubeconfig],
            what="delete the kind cluster",
        )
        self.kubeconfig.unlink(missing_ok=True)
        say(f"the cluster {self.instance.id} is down")

    def build_images(self, names: Sequence[str] = images.IMAGES) -> None:
        """Build the images `names` with the Docker engine; load them if this cluster runs."""
        images.build_with_docker(names)
        if self.trouble() is None:
            self.load_images(names)

    def load_images(self, names: Sequence[str] = images.IMAGES) -> None:
        """Load the images `names` from the Docker engine into the node."""
        references = [images.reference(name) for name in names]
        command = [self._kind(), "load", "docker-image", "--name", self.instance.id, *references]
        run(command, what="load the images into kind")

    def _kind(self) -> str:
        return shutil.which("kind") or os.fspath(compiled.kind())
