"""A Kubernetes control plane without nodes: etcd, API server and controller manager as local processes.

For integration tests: it needs no privileges and no namespaces, starts in seconds, and can run several times in
parallel. Storage, validation, defaulting and garbage collection are real. Jobs and Deployments create their pods, which
stay pending.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tools.cluster.host.commands import run, tail
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.ports import free_ports
from tools.cluster.host.processes import wait_until
from tools.cluster.kubernetes import components, kubeconfig, pki
from tools.cluster.kubernetes.api import ApiClient
from tools.cluster.kubernetes.components import Addresses, Layout
from tools.cluster.programs import compiled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_START_SECONDS = 300.0
#: Another process may take a free port before the server binds it, so a start is retried.
_ATTEMPTS = 3
_IDENTITIES = (pki.ADMIN, pki.CONTROLLER_MANAGER, pki.KUBELET_CLIENT, pki.api_server(["127.0.0.1"]))


@dataclass(frozen=True, slots=True)
class _Component:
    """A running component and its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def running(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


class ControlPlane:
    """etcd + API server + controller manager in one folder. Use as a context manager, or call `start` and `stop`.

    Args:
        folder: an empty folder for certificates, data and logs. `stop` keeps it, so that logs can be read.
        crds: files or folders to apply before the controller manager starts. Its garbage collector discovers new kinds
            only every 30 s.
        program: the compiled Kubernetes program. Default: from the cache.
        users: users beside the administrator, each with a kubeconfig.
        ports: returns the given number of free local ports.
    """

    def __init__(
        self,
        folder: Path,
        *,
        crds: Sequence[Path] = (),
        program: Path | None = None,
        users: Sequence[pki.Identity] = (),
        ports: Callable[[int], list[int]] = free_ports,
    ) -> None:
        self._layout = Layout(folder)
        self._crds = tuple(crds)
        self._program = program
        self._users = tuple(users)
        self._ports = ports
        self._addresses: Addresses | None = None
        self._running: dict[str, _Component] = {}

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of an administrator."""
        return self._layout.kubeconfig("admin")

    def kubeconfig_of(self, user: pki.Identity) -> Path:
        """Kubeconfig of one of `users`."""
        return self._layout.kubeconfig(user.name)

    @property
    def audit_log(self) -> Path:
        """The API server's audit log: one JSON event per line, level Metadata, without watches."""
        return self._layout.audit_log

    @property
    def server(self) -> str:
        """URL of the API server."""
        return self._known_addresses().server

    @property
    def kubectl(self) -> list[str]:
        """Prefix of a kubectl command for this control plane."""
        return [str(self._kube()), "kubectl", "--kubeconfig", str(self.kubeconfig)]

    def start(self) -> Self:
        """Start everything and wait until the API server is ready and the controller manager made a service account.

        Raises:
            ClusterError: a component exited or was not ready in time (the message has the end of its log), or another
            process took a port in each attempt. All processes are stopped.
        """
        self._kube()
        for _ in range(_ATTEMPTS):
            try:
                self._start_once()
            except ClusterError:
                taken = self._lost_a_port()
                self.stop()
                if not taken:
                    raise
                # The next attempt must not read the logs of this one.
                shutil.rmtree(self._layout.logs)
            except BaseException:
                self.stop()
                raise
            else:
                return self
        raise ClusterError(
            f"The control plane could not start: in {_ATTEMPTS} attempts, another process took a port of 127.0.0.1 "
            "before it could be used: check which one (`ss -ltnp`) and try again."
        )

    def stop(self) -> None:
        """Kill all processes of this control plane. Idempotent."""
        for component in reversed(self._running.values()):
            component.end()
        self._running.clear()

    def stop_api_server(self) -> None:
        """Kill only the API server; etcd and the controller manager keep running.

        A graceful stop would wait up to a minute for open watches.
        """
        self._running.pop("apiserver").end()

    def start_api_server(self) -> None:
        """Start the API server again, on the same port, and wait until it is ready."""
        self._spawn("apiserver", components.api_server(self._layout, self._known_addresses()))
        self._wait_for("apiserver", "/readyz")

    def restart_api_server(self) -> None:
        """Kill the API server and start it again on the same port. This breaks watches and keeps the data."""
        self.stop_api_server()
        self.start_api_server()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def _kube(self) -> Path:
        self._program = self._program or compiled.kube()
        return self._program

    def _known_addresses(self) -> Addresses:
        if self._addresses is None:
            raise ClusterError("This control plane has no address yet: call start() first.")
        return self._addresses

    def _start_once(self) -> None:
        api_port, etcd_port, peer_port = self._ports(3)
        self._addresses = addresses = Addresses(
            host="127.0.0.1",
            bind="127.0.0.1",
            api_port=api_port,
            etcd_port=etcd_port,
            peer_port=peer_port,
            services="10.0.0.0/24",
        )
        layout = self._layout
        layout.logs.mkdir(parents=True, exist_ok=True)
        self._spawn("etcd", components.etcd(layout, addresses))
        pki.issue(layout.pki, (*_IDENTITIES, *self._users))
        for user in (pki.ADMIN, pki.CONTROLLER_MANAGER, *self._users):
            kubeconfig.write(
                layout.kubeconfig(user.name), name="nodeless", server=addresses.server, pki=layout.pki, user=user
            )
        self.start_api_server()
        self._apply_crds()
        self._spawn(
            "controller-manager", components.controller_manager(layout, controllers=components.NODELESS_CONTROLLERS)
        )
        self._wait_for("controller-manager", "/api/v1/namespaces/default/serviceaccounts/default")

    def _apply_crds(self) -> None:
        if self._crds:
            files = [word for path in self._crds for word in ("--filename", str(path))]
            run([*self.kubectl, "apply", "--server-side", *files], what="apply the CRDs")
            run(
                [*self.kubectl, "wait", "--for=condition=Established", "--timeout=30s", *files],
                what="wait until the CRDs are established",
            )

    def _spawn(self, name: str, words: list[str]) -> None:
        if threading.current_thread() is not threading.main_thread():
            # The kernel kills the components when the *thread* that started them ends.
            raise ClusterError("A control plane must be started from the main thread.")
        log = self._layout.logs / f"{name}.log"
        with log.open("ab") as output:
            # setpriv: if this process is killed, the kernel kills the component too, so that no test run leaves one
            # behind.
            command = ["setpriv", "--pdeathsig", "KILL", str(self._kube()), *words]
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        self._running[name] = _Component(name, process, log)

    def _wait_for(self, name: str, path: str) -> None:
        client = ApiClient(self.server, self._layout.pki)
        done = wait_until(lambda: client.exists(path) or self._ended() is not None, seconds=_START_SECONDS)
        ended = self._ended()
        if ended is not None:
            raise ClusterError(f"The {ended.name} exited while starting: {tail(ended.log.read_text())}")
        if not done:
            log = self._running[name].log
            raise ClusterError(f"The {name} was not ready within {_START_SECONDS:.0f} s: {tail(log.read_text())}")

    def _ended(self) -> _Component | None:
        return next((component for component in self._running.values() if not component.running()), None)

    def _lost_a_port(self) -> bool:
        return any("address already in use" in component.log.read_text() for component in self._running.values())
