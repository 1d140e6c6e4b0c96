"""Processes that the tools of the local cluster and the demo start, stop and recognise."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tools.cluster.host import processes
from tools.cluster.host.commands import run
from tools.cluster.host.errors import ClusterError
from tools.cluster.host.processes import ProcessId
from tools.cluster.instance import CHECKOUT, Instance
from tools.demo.cluster import Cluster, DemoError

pytestmark = pytest.mark.runtime


@pytest.fixture
def child() -> subprocess.Popen[bytes]:
    """Return a process that waits until its standard input is closed."""
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)


def test_a_process_with_a_reused_id_is_another_process(child: subprocess.Popen[bytes]) -> None:
    ours = ProcessId.of(child.pid)
    others = [replace(ours, started=ours.started - 1), replace(ours, boot="an earlier boot")]
    for other in others:
        assert not other.alive()
        other.kill()
    assert child.poll() is None
    assert child.pid in processes.descendants(os.getpid())
    ours.kill()
    child.communicate()
    assert not ours.alive()


def test_a_zombie_is_not_alive(child: subprocess.Popen[bytes]) -> None:
    ours = ProcessId.of(child.pid)
    ours.kill()
    assert processes.wait_until(lambda: not ours.alive(), seconds=10)
    assert child.returncode is None
    child.communicate()


def test_the_error_quotes_the_output_of_a_failed_program() -> None:
    with pytest.raises(ClusterError, match=r"Cannot make tea: .* failed with exit code 3: no water"):
        run([sys.executable, "-c", "import sys; print('no water', file=sys.stderr); sys.exit(3)"], what="make tea")


def test_paths_are_available_without_an_engine(tmp_path: Path) -> None:
    """`bin` and `kubeconfig` need no engine; other commands report that it does not answer."""
    own = {"PERENNATE_CACHE": str(tmp_path), "DOCKER_HOST": f"unix://{tmp_path}/none.sock", "PROVIDER": ""}
    environment = {**os.environ, **own}
    instance = Instance.of("stopped-test")
    (tmp_path / "kind").mkdir()
    (tmp_path / "kind" / f"{instance.id}.kubeconfig").touch()

    def cluster(word: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tools.cluster", "--name", instance.name, word]
        return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)

    assert cluster("kubeconfig").stdout == f"{tmp_path}/kind/{instance.id}.kubeconfig\n"
    status = cluster("status")
    assert status.returncode == 1
    assert "No Docker engine answers" in status.stderr or "no program `docker`" in status.stderr


def test_the_error_names_a_missing_program() -> None:
    with pytest.raises(ClusterError, match=r"Cannot make tea: the program 'no-such-kettle' is not installed"):
        run(["no-such-kettle"], what="make tea")


def test_a_command_that_times_out_raises_a_demo_error() -> None:
    """The demo reports it in one line, without a traceback."""
    with pytest.raises(DemoError, match=r"^`sleep 600` took longer than 0.01 s$"):
        Cluster("", "", "").run("sleep", "600", timeout=0.01)
