"""The process dockerd: its settings, its start and its end."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kind.engine import runtime
from tests.kind.engine.client import Client
from tests.kind.engine.requirements import DAEMON
from tools.cluster.host.commands import tail
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.processes import ProcessId, descendants, wait_until
from tools.cluster.host.progress import echo, step

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Addresses of all networks of the engine, from the range for benchmarks, which is not routed (RFC 2544).
NETWORK = "198.19.240.0/20"
#: The network for image builds.
BUILD_BRIDGE = "docker0"
_NETWORK_PREFIX = 24
_START_SECONDS = 60
_STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of an engine.

    Attributes:
        data: images and build cache, kept between runs.
        run: socket, log, settings and the state of containers, removed at the end.
    """

    data: Path
    run: Path

    @property
    def socket(self) -> Path:
        """The only address of the engine."""
        return self.run / "docker.sock"

    @property
    def host(self) -> str:
        """The address in the form of DOCKER_HOST."""
        return f"unix://{self.socket}"

    @property
    def log(self) -> Path:
        """The output of dockerd and its containerd."""
        return self.run / "dockerd.log"

    @property
    def execution(self) -> Path:
        """State of running containers. The path must be short, because it contains sockets."""
        return self.run / "exec"


def start(folders: Folders) -> tuple[subprocess.Popen[bytes], ProcessId]:
    """Start dockerd and return its process; `wait_ready` waits until it answers."""
    configuration = folders.run / "daemon.json"
    configuration.write_text(json.dumps(_settings(folders), indent=2))
    with folders.log.open("wb") as log:
        # The kernel ends it when this program is killed. Ctrl-C in the terminal does not reach its session.
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig=TERM", DAEMON, "--config-file", configuration],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return process, ProcessId.of(process.pid)


def _settings(folders: Folders) -> Mapping[str, object]:
    """Return all settings. /etc/docker/daemon.json of the machine is not read."""
    return {
        "data-root": str(folders.data),
        "exec-root": str(folders.execution),
        "pidfile": str(folders.run / "dockerd.pid"),
        "hosts": [f"unix://{folders.socket}"],
        "deprecated-key-path": str(folders.run / "key.json"),
        "default-address-pools": [{"base": NETWORK, "size": _NETWORK_PREFIX}],
        # The same control groups with and without systemd on the host.
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        **runtime.settings(folders.run),
    }


def wait_ready(process: subprocess.Popen[bytes], folders: Folders) -> None:
    """Wait until dockerd answers.

    Raises:
        ClusterError: it ended, or took too long.
    """
    client = Client(folders.socket)
    with step("starting a Docker engine"):
        wait_until(lambda: process.poll() is not None or client.answers(), seconds=_START_SECONDS, pause=0.2)
    if not client.answers():
        output = tail(folders.log.read_text(errors="replace"))
        raise ClusterError(f"The Docker engine did not start within {_START_SECONDS} s: {output}")


def stop(daemon: ProcessId) -> None:
    """End dockerd and every process below it. Containers should be removed before."""
    family = [daemon, *_known(descendants(daemon.pid))] if daemon.alive() else []
    daemon.kill(signal.SIGTERM)
    if not wait_until(lambda: not daemon.alive(), seconds=_STOP_SECONDS):
        echo(f"dockerd did not end within {_STOP_SECONDS} s and is killed")
    for process in family:
        process.kill()
    wait_until(lambda: not any(process.alive() for process in family), seconds=_STOP_SECONDS)


def _known(pids: list[int]) -> list[ProcessId]:
    found = []
    for pid in pids:
        try:
            found.append(ProcessId.of(pid))
        except ProcessLookupError:
            continue
    return found
