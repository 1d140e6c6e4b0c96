"""Without the privileges for a cluster, one sentence says what is needed and what to do, and nothing is left."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.cluster.instance import CHECKOUT, Instance
from tools.cluster.packages import cgroups, network

pytestmark = pytest.mark.e2e

_NOBODY = 65534
#: The Python of any user: the cluster tool needs only the standard library.
_PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable


@dataclass(frozen=True)
class Machine:
    """A copy of the checkout that every user may read, and a PATH without sudo and Docker."""

    folder: Path

    @property
    def instance(self) -> Instance:
        """The cluster of the copy. Nothing else can have created it."""
        return Instance.of("privileges-test", checkout=self.folder / "checkout")

    def command(self, word: str, *, before: list[str]) -> subprocess.CompletedProcess[str]:
        """Run `python3 -m tools.cluster`, prefixed by the command `before`."""
        return subprocess.run(
            [
                shutil.which("setpriv") or "setpriv",
                *before,
                _PYTHON,
                "-m",
                "tools.cluster",
                "--name",
                "privileges-test",
                word,
            ],
            cwd=self.folder / "checkout",
            env={
                "PATH": str(self.folder / "bin"),
                "HOME": str(self.folder / "home"),
                "PERENNATE_STATE": str(self.folder / "state"),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def left(self) -> list[str]:
        """Everything that a rejected start may have left."""
        mark = f"PERENNATE_STATE={self.folder}".encode()
        processes = [path for path in Path("/proc").glob("[0-9]*/environ") if mark in _content(path)]
        files = [path for name in ("home", "state") for path in (self.folder / name).rglob("*")]
        namespace = network.namespace_path(self.instance)
        link = Path("/sys/class/net") / self.instance.link
        found = [*processes, *files, *cgroups.folders(self.instance), *(p for p in (namespace, link) if p.exists())]
        return [str(path) for path in found]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # The process has ended.
        return b""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Folders that the unprivileged user may write to."""
    shutil.copytree(CHECKOUT / "tools" / "cluster", tmp_path / "checkout" / "tools" / "cluster")
    (tmp_path / "bin").mkdir()
    for name in ("unshare", "true"):  # The programs that check the privileges.
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    for name in ("home", "state"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o777)
    # Only the owner can enter the folders of pytest; there is one more in a pytest worker.
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_mode & 0o077 == 0:
            path.chmod(0o711)
    return Machine(tmp_path)


_NO_LINKS = "root without CAP_NET_ADMIN"
REJECTED = {
    "a user without sudo": (
        [f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"],
        "A local cluster needs root, or passwordless sudo, to create namespaces",
        "run this as root, or start a Docker engine.",
    ),
    "root without CAP_SYS_ADMIN": (
        ["--bounding-set=-sys_admin"],
        "Root cannot create namespaces on this machine (a container without CAP_SYS_ADMIN?)",
        "run this on a host, or start a Docker engine.",
    ),
    _NO_LINKS: (
        ["--bounding-set=-net_admin"],
        "Root cannot create network links on this machine (a container without CAP_NET_ADMIN?)",
        "run this on a host, or start a Docker engine.",
    ),
}


@pytest.mark.parametrize(
    ("case", "word"),
    # Image builds create no network links.
    [(case, word) for case in REJECTED for word in ("up", "images") if (case, word) != (_NO_LINKS, "images")],
)
def test_missing_privileges_are_reported_and_leave_nothing(machine: Machine, case: str, word: str) -> None:
    """Exit 1 before anything is downloaded, compiled or created; the message says what is missing and what to do."""
    before, lacking, advice = REJECTED[case]
    done = machine.command(word, before=before)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"error: {lacking}: {advice}\n")
    assert machine.left() == []


def test_full_privileges_suffice(machine: Machine) -> None:
    """The control for the rejections above: the start reaches the check for missing packages."""
    done = machine.command("up", before=[])
    assert done.returncode == 1
    assert "lacks" in done.stderr
    assert "has no apt-get" in done.stderr
    assert machine.left() == []


def test_without_control_groups_the_error_suggests_docker(machine: Machine) -> None:
    """As on macOS, which has no /sys/fs/cgroup: the next check is for Docker."""
    hide = "mount -t tmpfs tmpfs /sys/fs && ! test -e /sys/fs/cgroup && "
    ask = f"exec {_PYTHON} -m tools.cluster --name privileges-test up"
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", hide + ask],
        cwd=machine.folder / "checkout",
        env={**os.environ, "DOCKER_HOST": f"unix://{machine.folder}/none.sock", "PROVIDER": "kind"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert "ocker" in done.stderr
    assert done.stderr.count("\n") == 1
