"""The control plane without nodes: several run at once, without root, and none outlives its test."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.cluster.apiserver import ControlPlane, read_audit
from tests.support.cluster.waiting import eventually
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.ports import free_ports
from tools.cluster.host.processes import ProcessId, descendants
from tools.cluster.instance import CHECKOUT
from tools.cluster.programs import compiled

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

_NOBODY = 65534
#: Starts a control plane, prints that it is ready, and waits until it is killed.
_HOLDER = """
import sys
from pathlib import Path
from tools.cluster.kubernetes.control_plane import ControlPlane
plane = ControlPlane(Path(sys.argv[1]), program=Path(sys.argv[2])).start()
print(plane.server, flush=True)
sys.stdin.read()
"""


def _kubectl(plane: ControlPlane, *words: str) -> str:
    return subprocess.run([*plane.kubectl, *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane that tests leave running."""
    with ControlPlane(tmp_path_factory.mktemp("running")) as plane:
        yield plane


@pytest.fixture
def plane(tmp_path: Path) -> ControlPlane:
    """A control plane that is not started."""
    return ControlPlane(tmp_path / "plane")


def test_several_control_planes_run_at_once(tmp_path: Path) -> None:
    """Each has its own ports, data and audit log."""
    with ExitStack() as stack:
        planes = [stack.enter_context(ControlPlane(tmp_path / str(number))) for number in range(2)]
        assert len({plane.server for plane in planes}) == 2
        _kubectl(planes[0], "create", "namespace", "only-here")
        assert "only-here" in _kubectl(planes[0], "get", "namespaces")
        assert "only-here" not in _kubectl(planes[1], "get", "namespaces")
        written = [
            event.name for event in read_audit(planes[0].audit_log) if event.writes and event.resource == "namespaces"
        ]
        assert "only-here" in written
        assert "only-here" not in {event.name for event in read_audit(planes[1].audit_log)}


def test_objects_survive_a_restart_of_the_api_server(running: ControlPlane) -> None:
    """The address stays the same, so clients only reconnect."""
    server = running.server
    _kubectl(running, "create", "configmap", "kept")
    running.restart_api_server()
    assert running.server == server
    assert "kept" in _kubectl(running, "get", "configmaps")


def test_garbage_collection_deletes_dependents(running: ControlPlane) -> None:
    """The real controllers run: a Job creates its pod, and deleting the Job deletes the pod."""
    _kubectl(running, "create", "job", "work", "--image=none")
    assert eventually(lambda: "work" in _kubectl(running, "get", "pods"))
    _kubectl(running, "delete", "job", "work", "--cascade=background")
    assert eventually(lambda: "work" not in _kubectl(running, "get", "pods"))


def test_components_report_the_pinned_version(running: ControlPlane) -> None:
    """`kubectl version` reports the version in go.mod."""
    version = json.loads(_kubectl(running, "version", "--output=json"))["serverVersion"]
    assert version["gitVersion"] == "v" + ".".join(str(part) for part in compiled.KUBERNETES)
    assert f"k8s.io/kubernetes {version['gitVersion']}" in (CHECKOUT / "tools/cluster/programs/kube/go.mod").read_text()


def test_stop_is_idempotent_and_ends_every_process(plane: ControlPlane) -> None:
    before = set(descendants(os.getpid()))
    plane.start()
    started = [ProcessId.of(pid) for pid in set(descendants(os.getpid())) - before]
    assert len(started) >= 3
    plane.stop()
    plane.stop()
    assert not any(process.alive() for process in started)


def test_components_end_when_the_test_run_is_killed(tmp_path: Path) -> None:
    """The kernel sends them a signal."""
    command = [sys.executable, "-c", _HOLDER, str(tmp_path / "plane"), str(compiled.kube())]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().startswith("https://127.0.0.1:")
        started = [ProcessId.of(pid) for pid in descendants(holder.pid)]
        assert len(started) == 3
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert eventually(lambda: not any(process.alive() for process in started))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter. pytest closes its own to others whenever a session starts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user; other users run the tests above")
def test_a_control_plane_needs_no_privileges(open_folder: Path) -> None:
    """The fast tests run as any user."""
    program = open_folder / "kube"
    shutil.copyfile(compiled.kube(), program)
    program.chmod(0o755)
    folder = open_folder / "plane"
    folder.mkdir()
    os.chown(folder, _NOBODY, _NOBODY)
    as_nobody = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    python = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*as_nobody, python, "-c", _HOLDER, str(folder), str(program)],
        cwd=CHECKOUT,
        env=environment,
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("https://127.0.0.1:"), done.stderr


def test_a_port_in_use_is_replaced(plane: ControlPlane) -> None:
    """If another process takes a chosen port before the bind, the next attempt uses other ports."""
    # The first control plane uses the ports that the second tries first.
    with ControlPlane(plane.kubeconfig.parent.parent / "first") as first:
        port = int(first.server.rpartition(":")[2])
        offered = [[port, *free_ports(2)], free_ports(3)]
        second = ControlPlane(plane.kubeconfig.parent, ports=lambda _: offered.pop(0))
        with second:
            assert second.server != first.server
        assert offered == []


@pytest.mark.parametrize("lost", [0, 1], ids=["the API server's", "etcd's"])
def test_start_fails_after_three_ports_in_use(tmp_path: Path, lost: int) -> None:
    """The error says what to check, and no process is left."""
    before = set(descendants(os.getpid()))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        offered = [free_ports(3) for _ in range(3)]
        for ports in offered:
            ports[lost] = taken.getsockname()[1]
        plane = ControlPlane(tmp_path / "plane", ports=lambda _: offered.pop(0))
        with pytest.raises(ClusterError) as caught:
            plane.start()
    assert str(caught.value) == (
        "The control plane could not start: in 3 attempts, another process took a port of 127.0.0.1 before it could be "
        "used: check which one (`ss -ltnp`) and try again."
    )
    assert offered == []
    assert set(descendants(os.getpid())) <= before


def test_a_later_failure_is_reported_with_its_own_cause(tmp_path: Path) -> None:
    """A port in use in the first attempt does not hide another cause in the second."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        api, peer = free_ports(2)
        offered = [[api, taken.getsockname()[1], peer], [api, 99_999, peer]]
        with pytest.raises(ClusterError, match=r"The etcd exited while starting: .*99999"):
            ControlPlane(tmp_path / "plane", ports=lambda _: offered.pop(0)).start()


def test_the_error_contains_the_output_of_a_component_that_exits(tmp_path: Path) -> None:
    """No process is left."""
    before = set(descendants(os.getpid()))
    with pytest.raises(ClusterError, match="exited while starting"):
        ControlPlane(tmp_path / "plane", program=_failing(tmp_path)).start()
    assert set(descendants(os.getpid())) <= before


def test_a_start_takes_few_seconds_of_cpu_time(plane: ControlPlane) -> None:
    """CPU time, unlike wall-clock time, hardly depends on the load of the machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    plane.start()
    plane.stop()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 15


def _failing(folder: Path) -> Path:
    program = folder / "kube"
    program.write_text("#!/bin/sh\necho 'no such disk' >&2\nexit 7\n")
    program.chmod(0o755)
    return program
