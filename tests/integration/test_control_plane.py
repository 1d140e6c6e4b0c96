"""The control plane without nodes: several run side by side, without root, and none outlives its test."""

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
from itertools import takewhile
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
#: Starts a control plane, says that it is ready, and waits for ever.
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


def test_several_run_side_by_side(tmp_path: Path) -> None:
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


def test_data_outlives_the_api_server(running: ControlPlane) -> None:
    """After a restart the API server has the same address and objects, so clients only reconnect."""
    server = running.server
    _kubectl(running, "create", "configmap", "kept")
    running.restart_api_server()
    assert running.server == server
    assert "kept" in _kubectl(running, "get", "configmaps")


def test_owners_take_their_dependents_with_them(running: ControlPlane) -> None:
    """The real controllers run: a Job creates its pod, and garbage collection removes it with the Job."""
    _kubectl(running, "create", "job", "work", "--image=none")
    assert eventually(lambda: "work" in _kubectl(running, "get", "pods"))
    _kubectl(running, "delete", "job", "work", "--cascade=background")
    assert eventually(lambda: "work" not in _kubectl(running, "get", "pods"))


def test_components_report_the_version_that_is_pinned(running: ControlPlane) -> None:
    """What `kubectl version` says is what go.mod pins, so a failure can be looked up."""
    version = json.loads(_kubectl(running, "version", "--output=json"))["serverVersion"]
    assert version["gitVersion"] == "v" + ".".join(str(part) for part in compiled.KUBERNETES)
    assert f"k8s.io/kubernetes {version['gitVersion']}" in (CHECKOUT / "tools/cluster/programs/kube/go.mod").read_text()


def test_stop_ends_every_process_and_can_be_repeated(plane: ControlPlane) -> None:
    """Nothing that was started is left, and stopping twice is no error."""
    before = set(descendants(os.getpid()))
    plane.start()
    started = [ProcessId.of(pid) for pid in set(descendants(os.getpid())) - before]
    assert len(started) >= 3
    plane.stop()
    plane.stop()
    assert not any(process.alive() for process in started)


def test_no_process_outlives_a_killed_test_run(tmp_path: Path) -> None:
    """The kernel ends the components of a test run that is killed."""
    command = [sys.executable, "-c", _HOLDER, str(tmp_path / "plane"), str(compiled.kube())]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().startswith("https://127.0.0.1:")
        started = [ProcessId.of(pid) for pid in descendants(holder.pid)]
        assert len(started) == 3
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert eventually(lambda: not any(process.alive() for process in started))


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become another user; everybody else shows the same already"
)
def test_it_needs_no_rights(tmp_path: Path) -> None:
    """The fast level runs as any user: nothing in it asks for root."""
    program = tmp_path / "kube"
    shutil.copyfile(compiled.kube(), program)
    program.chmod(0o755)
    folder = tmp_path / "plane"
    folder.mkdir()
    os.chown(folder, _NOBODY, _NOBODY)
    # pytest's folders can be entered by their owner alone.
    for path in takewhile(lambda path: path != Path(tempfile.gettempdir()), (tmp_path, *tmp_path.parents)):
        path.chmod(0o711)
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


def test_a_port_that_is_taken_is_replaced(plane: ControlPlane) -> None:
    """If a chosen port is taken before the bind, the next attempt uses other ports."""
    # Real ports, real servers: a first control plane holds the ports that the second is made to try first.
    with ControlPlane(plane.kubeconfig.parent.parent / "first") as first:
        port = int(first.server.rpartition(":")[2])
        offered = [[port, *free_ports(2)], free_ports(3)]
        second = ControlPlane(plane.kubeconfig.parent, ports=lambda _: offered.pop(0))
        with second:
            assert second.server != first.server
        assert offered == []


@pytest.mark.parametrize("lost", [0, 1], ids=["the API server's", "etcd's"])
def test_ports_that_are_taken_again_and_again_end_the_attempts(tmp_path: Path, lost: int) -> None:
    """After three attempts the error says what to check, and no process is left."""
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


def test_another_failure_after_a_lost_port_is_told_as_what_it_is(tmp_path: Path) -> None:
    """A lost port in the first attempt does not hide another cause in the second."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        api, peer = free_ports(2)
        offered = [[api, taken.getsockname()[1], peer], [api, 99_999, peer]]
        with pytest.raises(ClusterError, match=r"The etcd exited while starting: .*99999"):
            ControlPlane(tmp_path / "plane", ports=lambda _: offered.pop(0)).start()


def test_a_component_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    """The error contains the component's output, and no process is left."""
    before = set(descendants(os.getpid()))
    with pytest.raises(ClusterError, match="exited while starting"):
        ControlPlane(tmp_path / "plane", program=_failing(tmp_path)).start()
    assert set(descendants(os.getpid())) <= before


def test_starting_costs_seconds_of_processor_time(plane: ControlPlane) -> None:
    """Processor time, unlike wall-clock time, is about the same on a busy machine."""
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
