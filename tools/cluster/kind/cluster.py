"""The cluster that kind makes, for machines with a Docker engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host import cache, rights
from tools.cluster.host.commands import follow, run, succeeds
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.processes import wait_until
from tools.cluster.host.progress import say, step
from tools.cluster.images import images
from tools.cluster.instance import CHECKOUT
from tools.cluster.kind import build, load, node_image, requirements
from tools.cluster.programs import clients

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.cluster.instance import Instance
    from tools.cluster.kind.engine import Engine

CONFIGURATION = CHECKOUT / "kind-config.yaml"
#: Where that configuration lets the API server write.
AUDIT_LOG = "/var/log/kubernetes/audit.jsonl"
_START_SECONDS = 180
#: Seconds for a node whose container or engine was started again: its API server takes about half a minute.
_RETURN_SECONDS = 120
_NOT_STARTED = "not started"
#: How a line of a Kubernetes component's log begins that tells of an error.
_KLOG_ERROR = re.compile(r"[EF]\d{4} ")


class KindCluster:
    """One instance of a kind cluster, running or not."""

    provider = "kind"

    def __init__(self, instance: Instance, engine: Engine) -> None:
        self.instance = instance
        self._engine = engine

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of an administrator."""
        return kubeconfig(self.instance)

    @property
    def audit_log(self) -> str:
        """Path of the API server's audit log on the node."""
        return AUDIT_LOG

    @property
    def container(self) -> str:
        """Name of the node's container."""
        return f"{self.instance.id}-control-plane"

    def on_node(self, *words: str) -> str:
        """Run a program on the node and return its standard output.

        Raises:
            ClusterError: it failed, or there is no node.
        """
        return run(["docker", "exec", self.container, *words], what=f"run {words[0]} on the node")

    def trouble(self) -> str | None:
        """Tell what is wrong with this cluster in a few words; None if it works, "not started" if there is none."""
        state = self._container_state()
        if state is None:
            return _NOT_STARTED
        if state != "running":
            return f"its node's container is {state}"
        if not self.kubeconfig.exists():
            return "its kubeconfig is lost"
        return None if self._ready() else "its API server does not answer"

    def up(self) -> None:
        """Make the cluster run; leave one that works alone, start one that was stopped, replace one that is broken.

        Raises:
            ClusterError: it cannot run here, or did not start; then nothing of it is left.
        """
        requirements.require(self._engine)
        with cache.locked("kind"):
            if self._returns():
                say(f"the cluster {self.instance.id} is up already")
                return
            trouble = self.trouble()
            if trouble != _NOT_STARTED:
                say(f"replacing the cluster {self.instance.id}: {trouble}")
                self._delete()
            self._create()

    def down(self) -> None:
        """Delete the cluster and its kubeconfig; with the last one, our images and Docker's network of kind too."""
        with cache.locked("kind"):
            self._delete()
            if not _containers("name=^/?perennate-[0-9a-f]+-control-plane$"):
                # Their layers stay in the engine's build cache. It fails only for an image that is not there.
                for name in images.IMAGES:
                    succeeds(["docker", "image", "rm", images.reference(name)], timeout=60)
            if not _containers("network=kind"):
                succeeds(["docker", "network", "rm", "kind"], timeout=60)
        say(f"the cluster {self.instance.id} is down")

    def build_images(self, names: Sequence[str] = images.IMAGES) -> None:
        """Build the images `names` with the Docker engine; load them if this cluster runs."""
        build.build(names, requirements.require(self._engine))
        if self.trouble() is None:
            self.load_images(names)

    def load_images(self, names: Sequence[str] = images.IMAGES) -> None:
        """Load the images `names` from the Docker engine into the node, as far as it lacks them."""
        load.load(names, self.container)

    def programs(self) -> Path:
        """Return the folder with kubectl and helm."""
        return clients.released()

    def _container_state(self) -> str | None:
        """Return what Docker calls the state of the node's container; None if there is none."""
        command = ["docker", "ps", "--all", "--format={{.State}}", f"--filter=name=^/?{self.container}$"]
        return run(command, what="look for the node's container").strip() or None

    def _ready(self) -> bool:
        """Tell whether the API server answers; asked on the node, which has a kubectl of the same version."""
        return succeeds([*self._kubectl(), "get", "--raw=/readyz"])

    def _kubectl(self) -> list[str]:
        return ["docker", "exec", self.container, "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf"]

    def _returns(self) -> bool:
        """Tell whether the cluster works; one whose container was stopped or has just started is given time first."""
        trouble = self.trouble()
        if trouble in (None, _NOT_STARTED):
            return trouble is None
        if not self.kubeconfig.exists() and self._ready():
            self._write_kubeconfig()
            return True
        with step(f"waiting for the cluster {self.instance.id} to come back ({trouble})"):
            if self._container_state() != "running":
                run(["docker", "start", self.container], what="start the node's container")
            return wait_until(self._ready, seconds=_RETURN_SECONDS, pause=1)

    def _create(self) -> None:
        node_image.announce()
        image = node_image.chosen().image
        node_image.pull(image)
        self._prepare_kubeconfig()
        command = [node_image.program(), "create", "cluster", f"--name={self.instance.id}", f"--image={image}"]
        command += [f"--config={CONFIGURATION}", f"--kubeconfig={self.kubeconfig}", f"--wait={_START_SECONDS}s"]
        try:
            with step("creating a kind cluster"):
                # Retained when it fails, so that its kubelet can be asked why.
                follow([*command, "--retain"], what="create a kind cluster", tell=_tell, cwd=CHECKOUT)
            self._await()
            rights.give_to_caller(self.kubeconfig)
        except ClusterError as error:
            cause = _cause(str(error), self._kubelet_error())
            self._delete()
            raise ClusterError(cause) from error
        except BaseException:
            self._delete()
            raise

    def _await(self) -> None:
        """Wait until the node is ready and names are resolved: kind ends without an error when they are not.

        Raises:
            ClusterError: they did not start in time.
        """
        with step("waiting for the node and the name service"):
            wait = [*self._kubectl(), "wait", "node", "--all", "--for=condition=Ready", f"--timeout={_START_SECONDS}s"]
            run(wait, what="start the cluster: the node is not ready")
            status = [*self._kubectl(), "--namespace=kube-system", "rollout", "status", "deployment/coredns"]
            run([*status, f"--timeout={_START_SECONDS}s"], what="start the cluster: its name service is not available")

    def _kubelet_error(self) -> str:
        """Return the last error of the node's kubelet; empty if it had none or cannot be asked."""
        try:
            log = self.on_node("journalctl", "--unit=kubelet", "--no-pager", "--output=cat", "--lines=100")
        except ClusterError:
            return ""
        errors = [line for line in log.splitlines() if _KLOG_ERROR.match(line)]
        return errors[-1] if errors else ""

    def _prepare_kubeconfig(self) -> None:
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        rights.give_to_caller(self.kubeconfig.parent)

    def _write_kubeconfig(self) -> None:
        self._prepare_kubeconfig()
        command = [node_image.program(), "export", "kubeconfig", f"--name={self.instance.id}"]
        run([*command, f"--kubeconfig={self.kubeconfig}"], what="write the kubeconfig")
        rights.give_to_caller(self.kubeconfig)

    def _delete(self) -> None:
        """Delete the node's container, also one that was made in part, and the kubeconfig."""
        if self._container_state() is not None:
            self._delete_container()
        self.kubeconfig.unlink(missing_ok=True)

    def _delete_container(self) -> None:
        command = [node_image.program(), "delete", "cluster", f"--name={self.instance.id}"]
        run([*command, f"--kubeconfig={self.kubeconfig}"], what="delete the kind cluster")


def kubeconfig(instance: Instance) -> Path:
    """Return where the kubeconfig of the kind cluster `instance` lies while there is one."""
    return cache.place() / "kind" / f"{instance.id}.kubeconfig"


def _containers(condition: str) -> list[str]:
    """Return the ids of the engine's containers that meet `condition`, stopped ones too."""
    return run(["docker", "ps", "--all", "--quiet", f"--filter={condition}"], what="list Docker's containers").split()


def _cause(failure: str, kubelet: str) -> str:
    """Return one sentence about a start that failed: what kind said, and what the node's kubelet did."""
    if "mounts denied" in failure:
        return (
            f"Docker may not mount files of {CHECKOUT}: share this folder with its virtual machine "
            "(Docker Desktop: Settings, Resources, File sharing)."
        )
    return f"{failure} The node's kubelet said last: {kubelet}" if kubelet else failure


def _tell(line: str) -> None:
    """Pass on the beginning of kind's own steps, and what failed, without its pictures."""
    text = line.strip()
    if text[:1] in {"•", "✗"}:
        say(f"  {text.encode('ascii', 'ignore').decode().strip(' .')}")
