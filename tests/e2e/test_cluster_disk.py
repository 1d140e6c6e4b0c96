"""If the disk is too small or fills up during the start, the error is one sentence and nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tools.cluster.instance import CHECKOUT, Instance
from tools.cluster.packages import network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.packages]

_INSTANCE = Instance.of("full-disk-test")


@pytest.fixture
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A separate disk, mounted with the options of the test."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", request.param, "tmpfs", folder], check=True)
    yield folder
    # Lazily: the kernel releases a mount shortly after the last process that used it has ended.
    subprocess.run(["umount", "--lazy", folder], check=True)


# A limit on the number of files does not fill the memory. A start writes more than a hundred files.
@pytest.mark.parametrize(
    ("disk", "message"),
    [
        ("size=64M", "but a cluster needs 4 GB"),
        ("size=5G,nr_inodes=30", "No space left on device"),
        ("size=5G,nr_inodes=160", "filled up while the cluster started"),
    ],
    ids=["too small", "full while files are written", "full while the node starts"],
    indirect=["disk"],
)
def test_a_full_disk_is_reported_and_nothing_is_left(disk: Path, message: str) -> None:
    """Exit code 1, the message names the disk, and no file, namespace or route is left."""
    command = [sys.executable, "-m", "tools.cluster", "--name", _INSTANCE.name, "up"]
    environment = {**os.environ, "PERENNATE_STATE": str(disk), "PROVIDER": "packages"}
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1
    assert len(errors) == 1
    assert message in errors[0]
    assert str(disk) in errors[0]
    assert not list(disk.iterdir())
    assert not network.namespace_path(_INSTANCE).exists()
    assert not network.reserved(_INSTANCE)
