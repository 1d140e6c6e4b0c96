"""The cluster from packages: one node in its own namespaces, for machines without a Docker engine."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tools.cluster.host import cache, debian, disk, privileges
from tools.cluster.host.commands import run, tail
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.processes import ProcessId, wait_until
from tools.cluster.host.progress import echo, step
from tools.cluster.images import archive, build, images, load
from tools.cluster.instance import CHECKOUT, Instance
from tools.cluster.kubernetes import kubeconfig, pki
from tools.cluster.kubernetes.api import ApiClient, ApiError
from tools.cluster.packages import cgroups, health, manifests, network, node, removal, state, unpacked
from tools.cluster.packages.node import NODE, NodeLayout
from tools.cluster.packages.state import State
from tools.cluster.programs import clients, compiled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_START_SECONDS = 300.0
_NOT_STARTED = "not started"


@dataclass(frozen=True, slots=True)
class _Programs:
    """The compiled programs of a node."""

    kube: Path
    dns: Path
    pause: Path


class PackagesCluster:
    """One instance of a cluster from packages, running or not."""

    provider = "packages"

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.layout = NodeLayout(instance.state)

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of an administrator."""
        return self.layout.kubeconfig(pki.ADMIN.name)

    @property
    def audit_log(self) -> str:
        """Path of the API server's audit log on the node."""
        return str(self.layout.audit_log)

    def on_node(self, *words: str) -> str:
        """Run a program on the host, which has the node's files, and return its standard output.

        Raises:
            ClusterError: it failed.
        """
        return run(words, what=f"run {words[0]} on the node")

    def problem(self) -> str | None:
        """Return a short description of what is wrong; "not started" if there is no cluster; None if it is healthy."""
        found = state.load(self.layout.root)
        if found is None:
            return "only leftovers of it exist" if removal.has_leftovers(self.instance) else _NOT_STARTED
        if found.process is None or not found.process.alive():
            return "its processes have ended"
        return health.problem(self._client(found))

    def up(self) -> None:
        """Start the cluster: a healthy one is left alone, a broken one is replaced.

        Raises:
            ClusterError: it cannot run on this machine, or did not start; then it is removed.
        """
        privileges.require_node()
        debian.install_missing(debian.NODE_PACKAGES)
        programs = _Programs(kube=compiled.kube(), dns=compiled.dns(), pause=compiled.pause())
        # One start at a time, because each chooses its addresses by what is in use.
        with cache.locked("cluster"):
            problem = self.problem()
            if problem is None:
                self._recycle_volumes()
                echo(f"the cluster {self.instance.id} is up already")
                return
            if problem != _NOT_STARTED:
                echo(f"replacing the cluster {self.instance.id}: {problem}")
                removal.remove(self.instance)
            self._start(programs)

    def down(self) -> None:
        """Stop the cluster and remove its processes, mounts, network, cgroups and files."""
        if removal.has_leftovers(self.instance):
            privileges.require()
            with cache.locked("cluster"):
                removal.remove(self.instance)
        echo(f"the cluster {self.instance.id} is down")

    def build_images(self, names: Sequence[str] = images.IMAGES) -> None:
        """Build the images `names`; load them if this cluster is running, else unpack all images for the next start."""
        privileges.require()
        built = build.build(names)
        if self.problem() is None:
            load.load(self.layout.containerd_socket, built)
        elif set(names) == set(images.IMAGES):
            unpacked.ensure()

    def load_images(self, names: Sequence[str] = images.IMAGES) -> None:
        """Load the images `names`, which must be built, into the node."""
        self._state()
        load.load(self.layout.containerd_socket, build.stored_names(names))

    def programs(self) -> Path:
        """Return the folder with kubectl and helm."""
        return clients.compiled_kubectl()

    def _start(self, programs: _Programs) -> None:
        began = time.monotonic()
        try:
            self._prepare(programs)
            self._wait("the API server", lambda client: client.ready())
            self._create_base_objects()
            self._wait("the node", lambda client: health.node_problem(client) is None)
            self._wait("DNS", lambda client: health.dns_problem(client) is None)
        except (OSError, ApiError) as error:
            removal.remove(self.instance)
            raise ClusterError(f"The cluster could not start: {error}") from error
        except BaseException:
            removal.remove(self.instance)
            raise
        echo(f"the cluster {self.instance.id} is up after {time.monotonic() - began:.1f} s")

    def _prepare(self, programs: _Programs) -> None:
        """Write all files, create the network and start process 1 of the node."""
        root = self.layout.root
        root.mkdir(parents=True, mode=0o711)
        disk.require_free_space(root)
        chosen = network.choose(self.instance)
        found = State(self.instance.name, self.instance.digest, str(chosen.network), str(programs.kube))
        # Saved first, so that a failed start can be cleaned up.
        found.save(root)
        network.connect(self.instance, chosen)
        cgroups.make(self.instance)
        self._write_files(found, programs)
        unpacked.link(self.layout)
        replace(found, process=self._spawn()).save(root)

    def _spawn(self) -> ProcessId:
        """Start process 1 of the node in new namespaces and return the process that holds them."""
        own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
        enter = ["nsenter", f"--net={network.namespace_path(self.instance)}"]
        supervisor = [sys.executable, "-m", "tools.cluster.packages.supervisor", str(self.layout.root)]
        with (self.layout.logs / "node.log").open("ab") as log:
            process = subprocess.Popen(
                [*own, *enter, *supervisor],
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return ProcessId.of(process.pid)

    def _write_files(self, found: State, programs: _Programs) -> None:
        layout, addresses = self.layout, found.addresses
        users = [pki.ADMIN, pki.CONTROLLER_MANAGER, pki.SCHEDULER, pki.PROXY, pki.node(NODE, addresses.node)]
        server = pki.api_server(["127.0.0.1", addresses.node, addresses.api_service])
        pki.issue(layout.pki, [*users, server, pki.KUBELET_CLIENT])
        for user in users:
            path = layout.kubeconfig(user.name)
            kubeconfig.write(path, name=self.instance.id, server=_server(found), pki=layout.pki, user=user)
        privileges.chown_to_caller(self.kubeconfig)
        for folder in (layout.logs, layout.temporary, layout.etc):
            folder.mkdir()
        for path, content in node.files(layout, found.instance, addresses).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        for number in range(manifests.VOLUMES):
            self._empty_volume(manifests.volume_name(number))
        for image, program in ((node.PAUSE_IMAGE, programs.pause), (node.DNS_IMAGE, programs.dns)):
            archive.write(layout.root / f"{program.name}.image.tar", image=image, program=program)

    def _create_base_objects(self) -> None:
        """Create the storage class, the volumes and CoreDNS in a new cluster."""
        found = self._state()
        client = self._client(found)
        volumes = [manifests.volume(self.layout.volumes, number) for number in range(manifests.VOLUMES)]
        objects = [*manifests.name_service(found.addresses.dns_service), manifests.storage_class(), *volumes]
        with ThreadPoolExecutor(4) as pool:
            # list() raises the exception of any of them here.
            list(pool.map(lambda each: client.apply(*each), objects))

    def _recycle_volumes(self) -> None:
        """Empty released volumes and make them available again, because there is no provisioner that would."""
        client = self._client(self._state())
        for item in client.get("/api/v1/persistentvolumes")["items"]:
            name = item["metadata"]["name"]
            if item["status"].get("phase") == "Released" and manifests.is_volume_name(name):
                self._empty_volume(name)
                client.release_volume(f"/api/v1/persistentvolumes/{name}")

    def _empty_volume(self, name: str) -> None:
        folder = self.layout.volumes / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        # Pods of any user may write, as with kind's volumes.
        folder.chmod(0o777)

    def _wait(self, what: str, condition: Callable[[ApiClient], bool]) -> None:
        found = self._state()
        client = self._client(found)

        def holds() -> bool:
            if found.process is None or not found.process.alive():
                raise ClusterError(
                    f"The node exited during the start: {tail((self.layout.logs / 'node.log').read_text())}"
                )
            disk.require_not_full(self.layout.root)
            try:
                return condition(client)
            except (OSError, http.client.HTTPException, ApiError):
                return False

        with step(f"waiting for {what}"):
            if not wait_until(holds, seconds=_START_SECONDS, pause=0.1):
                raise ClusterError(f"The cluster did not start: {what} was not ready within {_START_SECONDS:.0f} s.")

    def _client(self, found: State) -> ApiClient:
        return ApiClient(_server(found), self.layout.pki)

    def _state(self) -> State:
        found = state.load(self.layout.root)
        if found is None:
            raise ClusterError(f"The cluster {self.instance.id} is not running: start it with `make cluster-up`.")
        return found


def _server(found: State) -> str:
    return f"https://{found.addresses.node}:{node.API_PORT}"
