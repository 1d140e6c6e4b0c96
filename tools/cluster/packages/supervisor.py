"""Process 1 of the node: sets up the file system, starts every component, and exits when a component exits.

Run as `python -m tools.cluster.packages.supervisor STATE_FOLDER` in new mount, process and network namespaces. When
this process exits, the kernel kills everything in its namespaces, including containers and mounts.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.cluster.host.errors import ClusterError
from tools.cluster.host.processes import wait_until
from tools.cluster.kubernetes import components
from tools.cluster.kubernetes.api import ApiClient
from tools.cluster.kubernetes.components import Addresses
from tools.cluster.packages import state
from tools.cluster.packages.node import API_PORT, KERNEL_SETTINGS, NODE, NodeLayout

_MS_BIND = 4096
#: Folders that components always write to; the node gets its own empty ones.
_HIDDEN = ("/run", "/var/lib", "/var/log")
_WAIT_SECONDS = 300.0

_libc = ctypes.CDLL(None, use_errno=True)


def _mount(source: str, target: Path, kind: str = "", flags: int = 0) -> None:
    words = (source.encode(), str(target).encode(), kind.encode() or None)
    if _libc.mount(*words, ctypes.c_ulong(flags), None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(target))


def _set_up_file_system(layout: NodeLayout, kept: list[Path]) -> None:
    """Mount the node's own /proc and empty system folders, in which only `kept` is visible."""
    _mount("proc", Path("/proc"), "proc")
    handles = {
        path: os.open(path, os.O_PATH)
        for path in kept
        if path.exists() and any(path.resolve().is_relative_to(each) for each in _HIDDEN)
    }
    for folder in _HIDDEN:
        _mount("tmpfs", Path(folder), "tmpfs")
    for path, handle in handles.items():
        # A hidden folder is still reachable through an open handle.
        path.mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{handle}", path, flags=_MS_BIND)
        os.close(handle)
    for name in KERNEL_SETTINGS:
        if (setting := Path("/proc/sys") / name).exists():
            _mount(str(layout.etc / "kernel" / name), setting, flags=_MS_BIND)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


class Supervisor:
    """Starts the components of one node and waits for them."""

    def __init__(self, folder: Path) -> None:
        found = state.load(folder)
        if found is None:
            raise ClusterError(f"There is no cluster state in {folder}.")
        self._state = found
        self._layout = NodeLayout(folder)
        self._children: dict[int, str] = {}
        slice_ = found.addresses
        self._addresses = Addresses(
            host=slice_.node,
            bind="0.0.0.0",  # noqa: S104 - of a network namespace that has one link
            api_port=API_PORT,
            etcd_port=2379,
            peer_port=2380,
            services=str(slice_.services),
        )

    def run(self) -> int:
        """Start all components, then reap children until a component exits; return the exit code."""
        layout, addresses, slice_ = self._layout, self._addresses, self._state.addresses
        _set_up_file_system(
            layout, [layout.root, Path(self._state.program).parent, Path(sys.prefix), components.AUDIT_POLICY.parent]
        )
        self._spawn("containerd", ["containerd", f"--config={layout.etc}/containerd.toml"])
        self._kube(components.etcd(layout, addresses))
        self._kube(components.api_server(layout, addresses))
        self._import_images()
        self._wait_for_api()
        pods = str(slice_.pods)
        self._kube(
            components.kubelet(layout, configuration=layout.etc / "kubelet.json", node=NODE, address=slice_.node)
        )
        self._kube(components.controller_manager(layout, pods=pods))
        self._kube(components.scheduler(layout))
        self._kube(components.proxy(layout, node=NODE, pods=pods))
        return self._reap()

    def _kube(self, words: list[str]) -> None:
        self._spawn(words[0], [self._state.program, *words])

    def _spawn(self, name: str, command: list[str]) -> None:
        with (self._layout.logs / f"{name}.log").open("ab") as output:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self._environment()
            )
        self._children[process.pid] = name

    def _environment(self) -> dict[str, str]:
        """Return the environment of the components: nothing from the user, in particular no proxy."""
        folder = str(self._layout.temporary)
        return {"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder}

    def _import_images(self) -> None:
        socket = self._layout.containerd_socket
        ctr = ["ctr", "--address", str(socket), "--namespace", "k8s.io"]
        if not wait_until(lambda: socket.exists() and self._quiet([*ctr, "version"]), seconds=_WAIT_SECONDS, pause=0.1):
            raise ClusterError("containerd did not start in time.")
        for archive in sorted(self._layout.root.glob("*.image.tar")):
            subprocess.run(
                [*ctr, "images", "import", str(archive)], check=True, stdout=subprocess.DEVNULL, env=self._environment()
            )
            archive.unlink()

    def _quiet(self, command: list[str]) -> bool:
        return subprocess.run(command, capture_output=True, check=False, env=self._environment()).returncode == 0

    def _wait_for_api(self) -> None:
        client = ApiClient(self._addresses.server, self._layout.pki)
        if not wait_until(client.ready, seconds=_WAIT_SECONDS):
            raise ClusterError("The API server was not ready in time.")

    def _reap(self) -> int:
        """Reap children, including adopted orphans, until a component exits."""
        while True:
            pid, status = os.wait()
            if pid in self._children:
                print(
                    f"{self._children[pid]} exited with code {os.waitstatus_to_exitcode(status)}: stopping the node",
                    flush=True,
                )
                return 1


def main() -> int:
    """Run the node whose state folder is the first argument."""
    if shutil.which("containerd") is None:
        raise ClusterError("The program 'containerd' is not installed.")
    return Supervisor(Path(sys.argv[1])).run()


if __name__ == "__main__":
    sys.exit(main())
