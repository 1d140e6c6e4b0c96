"""The local cluster: one node from packages, in namespaces of its own, for machines without a Docker engine."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.cluster import archive, cache, cgroups, images, kubeconfig, manifests, network, node, packages, pki, programs, state
from tests.cluster.api import ApiClient, ApiError
from tests.cluster.commands import succeeds, tail
from tests.cluster.errors import ClusterError
from tests.cluster.instance import CHECKOUT, Instance
from tests.cluster.node import NODE, NodeLayout
from tests.cluster.processes import ProcessId, wait_until
from tests.cluster.progress import say, step
from tests.cluster.state import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_START_SECONDS = 120.0
_STOP_SECONDS = 20.0
#: Bytes that an idle cluster with a few images needs.
_NEEDED_DISK = 2 * 1024**3
#: A kubelet renews its lease every 10 s; one that has not for this long hangs.
_LEASE_SECONDS = 40.0
_NODE_PATH = f"/api/v1/nodes/{NODE}"
_LEASE_PATH = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{NODE}"


class LocalCluster:
    """One instance of the local cluster, running or not."""

    provider = "local"

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.layout = NodeLayout(instance.state)

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of an administrator."""
        return self.layout.kubeconfig(pki.ADMIN.name)

    @property
    def audit_log(self) -> Path:
        """The API server's audit log."""
        return self.layout.audit_log

    def trouble(self) -> str | None:
        """Tell what is wrong with this cluster in a few words; None if it works, "not started" if there is none."""
        found = state.load(self.layout.root)
        if found is None:
            return "not started" if not self._remains() else "only remains of it are left"
        if found.process is None or not found.process.alive():
            return "its processes have ended"
        return self._api_trouble(self._client(found))

    def up(self) -> None:
        """Make the cluster run; does nothing if it does, and replaces one that is broken.

        Raises:
            ClusterError: it cannot run here, or did not start; then nothing of it is left.
        """
        _require_rights()
        packages.ensure(packages.NODE)
        compiled = {"kube": programs.kube(), "dns": programs.dns(), "pause": programs.pause()}
        # One at a time: two that start choose their addresses by what they see in use.
        with cache.locked("cluster"):
            trouble = self.trouble()
            if trouble is None:
                say(f"the cluster {self.instance.id} is up already")
                self._renew_volumes()
                return
            if trouble != "not started":
                say(f"replacing the cluster {self.instance.id}: {trouble}")
                self._remove()
            self._start(compiled)

    def down(self) -> None:
        """End the cluster and remove everything of it: processes, mounts, network, control groups, files."""
        if self._remains():
            _require_rights()
            with cache.locked("cluster"):
                self._remove()
        say(f"the cluster {self.instance.id} is down")

    def build_images(self) -> None:
        """Build the project's images; load them if this cluster runs."""
        _require_rights()
        built = images.build()
        if self.trouble() is None:
            images.load(self.layout.containerd_socket, built)

    def load_images(self) -> None:
        """Load the project's images, built before, into the node."""
        if self.trouble() == "not started":
            raise ClusterError(f"The cluster {self.instance.id} is not running: start it with `make cluster-up`.")
        images.load(self.layout.containerd_socket, images.stored_names())

    def _start(self, compiled: dict[str, Path]) -> None:
        began = time.monotonic()
        try:
            self._prepare(compiled)
            self._wait("the API server", lambda client: client.ready())
            self._furnish()
            self._wait("the node", lambda client: self._node_trouble(client) is None)
            self._wait("the name service", lambda client: _available(client.get(manifests.DNS_PATH)))
        except (OSError, ApiError, subprocess.CalledProcessError) as error:
            self._remove()
            raise ClusterError(f"The cluster could not start: {error}") from error
        except BaseException:
            self._remove()
            raise
        say(f"the cluster {self.instance.id} is up after {time.monotonic() - began:.1f} s")

    def _prepare(self, compiled: dict[str, Path]) -> None:
        """Write every file, make the network and start the node's first process."""
        layout = self.layout
        layout.root.mkdir(parents=True, mode=0o711)
        free = shutil.disk_usage(layout.root).free
        if free < _NEEDED_DISK:
            raise ClusterError(
                f"The disk of {layout.root} has {free / 1e9:.1f} GB free; a cluster needs {_NEEDED_DISK / 1e9:.1f} GB: free some, "
                "or set PERENNATE_STATE to a folder on another disk."
            )
        chosen = network.choose(self.instance)
        found = State(self.instance.name, self.instance.digest, str(chosen.network), str(compiled["kube"]))
        found.save(layout.root)
        network.connect(self.instance, chosen)
        cgroups.make(self.instance)
        self._write_files(found, compiled)
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
        enter = [
            "nsenter",
            f"--net={network.namespace_path(self.instance)}",
            sys.executable,
            "-m",
            "tests.cluster.supervisor",
        ]
        with (layout.logs / "node.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, *enter, str(layout.root)],
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        State(found.name, found.digest, found.network, found.program, ProcessId.of(process.pid)).save(layout.root)

    def _write_files(self, found: State, compiled: dict[str, Path]) -> None:
        layout, addresses = self.layout, found.addresses
        server = pki.api_server(["127.0.0.1", addresses.node, addresses.api_service])
        users = [pki.ADMIN, pki.CONTROLLER_MANAGER, pki.SCHEDULER, pki.PROXY, pki.node(NODE, addresses.node)]
        pki.issue(layout.pki, [*users, server, pki.KUBELET_CLIENT])
        for user in users:
            url = f"https://{addresses.node}:6443"
            kubeconfig.write(layout.kubeconfig(user.name), name=self.instance.id, server=url, pki=layout.pki, user=user)
        for folder in (layout.logs, layout.temporary, layout.etc):
            folder.mkdir()
        for path, content in node.files(layout, found.instance, addresses).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        for number in range(manifests.VOLUMES):
            self._empty_volume(manifests.volume_name(number))
        for image, program in ((node.PAUSE_IMAGE, compiled["pause"]), (node.DNS_IMAGE, compiled["dns"])):
            archive.write(layout.root / f"{program.name}.image.tar", image=image, program=program)
        _give_to_caller(self.kubeconfig)

    def _furnish(self) -> None:
        """Give the fresh cluster its storage class, volumes and name service."""
        found = self._state()
        client = self._client(found)
        volumes = [manifests.volume(self.layout.volumes, number) for number in range(manifests.VOLUMES)]
        objects = [*manifests.name_service(found.addresses.dns_service), manifests.storage_class(), *volumes]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda each: client.apply(*each), objects))

    def _renew_volumes(self) -> None:
        """Empty the volumes whose claims are gone and offer them again."""
        client = self._client(self._state())
        for item in client.get("/api/v1/persistentvolumes")["items"]:
            name = item["metadata"]["name"]
            if item["status"].get("phase") == "Released" and name.startswith("local-"):
                self._empty_volume(name)
                client.apply(f"/api/v1/persistentvolumes/{name}", {**item, "spec": {**item["spec"], "claimRef": None}})

    def _empty_volume(self, name: str) -> None:
        folder = self.layout.volumes / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        # As the volumes of kind: a pod of any user may write.
        folder.chmod(0o777)

    def _wait(self, what: str, condition: Callable[[ApiClient], bool]) -> None:
        found = self._state()
        client = self._client(found)

        def holds() -> bool:
            if found.process is None or not found.process.alive():
                raise ClusterError(
                    f"The node ended while starting: {tail((self.layout.logs / 'node.log').read_text())}"
                )
            try:
                return condition(client)
            except (OSError, ApiError):
                return False

        with step(f"waiting for {what}"):
            if not wait_until(holds, seconds=_START_SECONDS, pause=0.1):
                raise ClusterError(f"The cluster did not start: {what} was not ready within {_START_SECONDS:.0f} s.")

    def _api_trouble(self, client: ApiClient) -> str | None:
        if not client.ready():
            return "its API server does not answer"
        try:
            trouble = self._node_trouble(client)
            if trouble is None and not _available(client.get(manifests.DNS_PATH)):
                trouble = "its name service is not available"
        except (OSError, ApiError) as error:
            trouble = str(error)
        return trouble

    def _node_trouble(self, client: ApiClient) -> str | None:
        conditions = {each["type"]: each["status"] for each in client.get(_NODE_PATH)["status"].get("conditions", [])}
        if conditions.get("Ready") != "True":
            return "its node is not ready"
        if not client.exists(_LEASE_PATH):
            # A kubelet makes its lease only some seconds after its node is ready.
            return None
        renewed = dt.datetime.fromisoformat(client.get(_LEASE_PATH)["spec"]["renewTime"])
        age = (dt.datetime.now(dt.UTC) - renewed).total_seconds()
        return None if age < _LEASE_SECONDS else f"its kubelet has been silent for {age:.0f} s"

    def _client(self, found: State) -> ApiClient:
        return ApiClient(f"https://{found.addresses.node}:6443", self.layout.pki)

    def _state(self) -> State:
        found = state.load(self.layout.root)
        if found is None:
            raise ClusterError(f"The cluster {self.instance.id} is not running: start it with `make cluster-up`.")
        return found

    def _remains(self) -> bool:
        return (
            self.layout.root.exists()
            or network.namespace_path(self.instance).exists()
            or bool(cgroups.folders(self.instance))
        )

    def _remove(self) -> None:
        found = state.load(self.layout.root)
        if found is not None and found.process is not None:
            # `unshare` does not listen to SIGTERM; when it is killed, the kernel ends the node's process 1 and with it all others.
            found.process.kill()
        for pid in network.processes_inside(self.instance):
            # Whatever else is in the namespace that carries our name was started by us.
            ProcessId.of(pid).kill()
        if not wait_until(lambda: not network.processes_inside(self.instance), seconds=_STOP_SECONDS):
            raise ClusterError(
                f"Processes of the cluster {self.instance.id} did not end: {network.processes_inside(self.instance)}."
            )
        if not cgroups.remove(self.instance):
            raise ClusterError(
                f"The control groups of the cluster {self.instance.id} could not be removed: a process in them did not end."
            )
        network.remove(self.instance, found.network if found else None)
        shutil.rmtree(self.layout.root, ignore_errors=True)
        if self.layout.root.exists():
            raise ClusterError(f"The folder {self.layout.root} could not be removed whole.")
        if (
            "PERENNATE_STATE" not in os.environ
            and self.layout.root.parent.exists()
            and not any(self.layout.root.parent.iterdir())
        ):
            self.layout.root.parent.rmdir()


def _available(deployment: dict[str, dict[str, int]]) -> bool:
    return deployment["status"].get("availableReplicas", 0) >= 1


def _require_rights() -> None:
    """Raise a `ClusterError` unless this process may make namespaces and network links."""
    if os.geteuid() != 0:
        raise ClusterError(
            "A local cluster needs root (or sudo without a password prompt) to make namespaces: run this as root, or start Docker."
        )
    if not succeeds(["unshare", "--mount", "--pid", "--net", "--fork", "true"]):
        raise ClusterError(
            "This machine lets not even root make namespaces (a container without CAP_SYS_ADMIN?): run on a host, or start Docker."
        )


def _give_to_caller(path: Path) -> None:
    """Let the user who called sudo read `path`."""
    user, group = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID")
    if user and group:
        os.chown(path, int(user), int(group))
