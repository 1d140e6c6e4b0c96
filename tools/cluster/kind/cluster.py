"""The kind cluster, for machines with a Docker engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.host import cache, privileges
from tools.cluster.host.commands import run, run_streaming, succeeds
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.processes import wait_until
from tools.cluster.host.progress import echo, step
from tools.cluster.images import images
from tools.cluster.instance import CHECKOUT
from tools.cluster.kind import build, load, node_image, requirements
from tools.cluster.programs import clients

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.cluster.instance import Instance
    from tools.cluster.kind.engine import Engine

CONFIGURATION = CHECKOUT / "kind-config.yaml"
#: Path of the audit log in that configuration.
AUDIT_LOG = "/var/log/kubernetes/audit.jsonl"
_START_SECONDS = 180
#: Seconds to wait for a restarted node: its API server takes about half a minute.
_RETURN_SECONDS = 120
_NOT_STARTED = "not started"
#: Prefix of an error in the log of a Kubernetes component.
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

    def problem(self) -> str | None:
        """Return a short description of what is wrong; "not started" if there is no cluster; None if it is healthy."""
        state = self._container_state()
        if state is None:
            return _NOT_STARTED
        if state != "running":
            return f"its node's container is {state}"
        if not self.kubeconfig.exists():
            return "its kubeconfig is missing"
        return None if self._ready() else "its API server does not answer"

    def up(self) -> None:
        """Start the cluster: a healthy one is left alone, a stopped one is started, a broken one is replaced.

        Raises:
            ClusterError: it cannot run on this machine, or did not start; then it is removed.
        """
        requirements.require(self._engine)
        with cache.locked("kind"):
            if self._recover():
                echo(f"the cluster {self.instance.id} is up already")
                return
            problem = self.problem()
            if problem != _NOT_STARTED:
                echo(f"replacing the cluster {self.instance.id}: {problem}")
                self._delete()
            self._create()

    def down(self) -> None:
        """Delete the cluster and its kubeconfig; with the last cluster, also our images and the network `kind`."""
        with cache.locked("kind"):
            self._delete()
            if not _containers("name=^/?perennate-[0-9a-f]+-control-plane$"):
                # Their layers stay in the engine's build cache. Removal fails only if the image does not exist.
                for name in images.IMAGES:
                    succeeds(["docker", "image", "rm", images.reference(name)], timeout=60)
            if not _containers("network=kind"):
                succeeds(["docker", "network", "rm", "kind"], timeout=60)
        echo(f"the cluster {self.instance.id} is down")

    def build_images(self, names: Sequence[str] = images.IMAGES) -> None:
        """Build the images `names` with the Docker engine; load them if this cluster is running."""
        build.build(names, requirements.require(self._engine))
        if self.problem() is None:
            self.load_images(names)

    def load_images(self, names: Sequence[str] = images.IMAGES) -> None:
        """Load the images `names` from the Docker engine into the node, unless it has them."""
        load.load(names, self.container)

    def programs(self) -> Path:
        """Return the folder with kubectl and helm."""
        return clients.released()

    def _container_state(self) -> str | None:
        """Return the state of the node's container, in Docker's words; None if there is none."""
        command = ["docker", "ps", "--all", "--format={{.State}}", f"--filter=name=^/?{self.container}$"]
        return run(command, what="look for the node's container").strip() or None

    def _ready(self) -> bool:
        """Return whether the API server answers. Runs on the node, which has a kubectl of the same version."""
        return succeeds([*self._kubectl(), "get", "--raw=/readyz"])

    def _kubectl(self) -> list[str]:
        return ["docker", "exec", self.container, "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf"]

    def _recover(self) -> bool:
        """Return whether the cluster is healthy, after starting a stopped container and waiting for it."""
        problem = self.problem()
        if problem in (None, _NOT_STARTED):
            return problem is None
        if not self.kubeconfig.exists() and self._ready():
            self._write_kubeconfig()
            return True
        with step(f"waiting for the cluster {self.instance.id} to come back ({problem})"):
            if self._container_state() != "running":
                run(["docker", "start", self.container], what="start the node's container")
            return wait_until(self._ready, seconds=_RETURN_SECONDS, pause=1)

    def _create(self) -> None:
        node_image.report_skipped_kind()
        image = node_image.chosen().image
        node_image.pull(image)
        self._prepare_kubeconfig()
        command = [node_image.program(), "create", "cluster", f"--name={self.instance.id}", f"--image={image}"]
        command += [f"--config={CONFIGURATION}", f"--kubeconfig={self.kubeconfig}", f"--wait={_START_SECONDS}s"]
        try:
            with step("creating a kind cluster"):
                # Retained on failure, so that the log of its kubelet can be read.
                run_streaming([*command, "--retain"], what="create a kind cluster", on_line=_echo_line, cwd=CHECKOUT)
            self._wait_until_ready()
            privileges.chown_to_caller(self.kubeconfig)
        except ClusterError as error:
            cause = _failure_message(str(error), self._kubelet_error())
            self._delete()
            raise ClusterError(cause) from error
        except BaseException:
            self._delete()
            raise

    def _wait_until_ready(self) -> None:
        """Wait until node and DNS are ready: kind exits without an error if they are not.

        Raises:
            ClusterError: they did not start in time.
        """
        with step("waiting for the node and DNS"):
            wait = [*self._kubectl(), "wait", "node", "--all", "--for=condition=Ready", f"--timeout={_START_SECONDS}s"]
            run(wait, what="start the cluster: the node is not ready")
            status = [*self._kubectl(), "--namespace=kube-system", "rollout", "status", "deployment/coredns"]
            run([*status, f"--timeout={_START_SECONDS}s"], what="start the cluster: CoreDNS is not available")

    def _kubelet_error(self) -> str:
        """Return the last error in the log of the node's kubelet; empty if there is none or it cannot be read."""
        try:
            log = self.on_node("journalctl", "--unit=kubelet", "--no-pager", "--output=cat", "--lines=100")
        except ClusterError:
            return ""
        errors = [line for line in log.splitlines() if _KLOG_ERROR.match(line)]
        return errors[-1] if errors else ""

    def _prepare_kubeconfig(self) -> None:
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        privileges.chown_to_caller(self.kubeconfig.parent)

    def _write_kubeconfig(self) -> None:
        self._prepare_kubeconfig()
        command = [node_image.program(), "export", "kubeconfig", f"--name={self.instance.id}"]
        run([*command, f"--kubeconfig={self.kubeconfig}"], what="write the kubeconfig")
        privileges.chown_to_caller(self.kubeconfig)

    def _delete(self) -> None:
        """Delete the node's container, even a half-created one, and the kubeconfig."""
        if self._container_state() is not None:
            self._delete_container()
        self.kubeconfig.unlink(missing_ok=True)

    def _delete_container(self) -> None:
        command = [node_image.program(), "delete", "cluster", f"--name={self.instance.id}"]
        run([*command, f"--kubeconfig={self.kubeconfig}"], what="delete the kind cluster")


def kubeconfig(instance: Instance) -> Path:
    """Return the path of the kubeconfig of the kind cluster `instance`. It exists while the cluster does."""
    return cache.location() / "kind" / f"{instance.id}.kubeconfig"


def _containers(condition: str) -> list[str]:
    """Return the ids of the containers that match the filter `condition`, including stopped ones."""
    return run(["docker", "ps", "--all", "--quiet", f"--filter={condition}"], what="list Docker's containers").split()


def _failure_message(failure: str, kubelet: str) -> str:
    """Return the message for a failed start: the error of kind, and the last error of the kubelet."""
    if "mounts denied" in failure:
        return (
            f"Docker cannot mount files of {CHECKOUT}: share this folder with its virtual machine "
            "(Docker Desktop: Settings, Resources, File sharing)."
        )
    return f"{failure} Last error of the kubelet: {kubelet}" if kubelet else failure


def _echo_line(line: str) -> None:
    """Print the steps of kind, and those that failed, without emoji."""
    text = line.strip()
    if text[:1] in {"•", "✗"}:
        echo(f"  {text.encode('ascii', 'ignore').decode().strip(' .')}")
