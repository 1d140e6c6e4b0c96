"""Users of a Docker engine: outside its group, inside its group, and root by sudo.

Run by `make test-kind` with an engine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.cluster.host import cache
from tools.cluster.instance import CHECKOUT, Instance

pytestmark = pytest.mark.skipif(
    os.environ.get("PROVIDER") != "kind", reason="needs a Docker engine: python3 -m tests.kind -- pytest tests/kind"
)

_NOBODY = 65534
#: The Python of any user: the cluster tool needs only the standard library.
_PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the files that the command needs, and a home folder, for a user without access to the checkout."""
    shutil.copytree(CHECKOUT / "tools" / "cluster", tmp_path / "checkout" / "tools" / "cluster")
    (tmp_path / "home").mkdir()
    (tmp_path / "home").chmod(0o777)
    # Only the owner can enter the folders of pytest.
    for path in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        path.chmod(0o711)
    return tmp_path / "checkout"


def _as_user(checkout: Path, word: str, *groups: str) -> subprocess.CompletedProcess[str]:
    user = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", *groups]
    return subprocess.run(
        [*user, _PYTHON, "-m", "tools.cluster", "--name", "user-test", word],
        cwd=checkout,
        env={**os.environ, "HOME": str(checkout.parent / "home"), "PROVIDER": "", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def socket() -> Path:
    """The engine's socket, which its owner and its group may use."""
    path = Path(os.environ["DOCKER_HOST"].removeprefix("unix://"))
    path.parent.chmod(0o711)
    return path


def test_the_error_for_a_user_outside_the_group_names_the_group(checkout: Path, socket: Path) -> None:
    """It suggests neither to start an engine nor to use root."""
    done = _as_user(checkout, "up", "--clear-groups")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert f"Permission denied for the Docker engine at unix://{socket}" in done.stderr
    assert "usermod -aG docker" in done.stderr


def test_a_user_in_the_group_does_not_need_root(checkout: Path, socket: Path) -> None:
    """The kind provider is chosen, and no message mentions root."""
    done = _as_user(checkout, "status", f"--groups={socket.stat().st_gid}")
    assert done.returncode == 1
    assert "(kind): not started" in done.stderr


def test_the_kubeconfig_of_sudo_is_readable_by_the_user() -> None:
    """Also after it was deleted and restored."""
    name = "sudo-test"
    kubeconfig = cache.location() / "kind" / f"{Instance.of(name).id}.kubeconfig"
    sudo = {"SUDO_UID": str(_NOBODY), "SUDO_GID": str(_NOBODY), "PERENNATE_CACHE": str(cache.location())}

    def run(word: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "tools.cluster", "--name", name, word],
            cwd=CHECKOUT,
            env={**os.environ, **sudo},
            check=True,
        )

    try:
        run("up")
        assert kubeconfig.stat().st_uid == _NOBODY
        kubeconfig.unlink()
        run("up")
        assert kubeconfig.stat().st_uid == _NOBODY
    finally:
        run("down")
