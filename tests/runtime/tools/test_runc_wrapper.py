"""The wrapper script of runc removes one capability from the request of a container, and changes nothing else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.kind.engine import runtime

pytestmark = pytest.mark.runtime


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Return the script, with `echo` in place of runc."""
    path = tmp_path / "runc"
    path.write_text(runtime.script("echo"))
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("options", "file"),
    [
        (["--bundle", "{}"], "config.json"),
        (["--bundle={}"], "config.json"),
        (["-b", "{}"], "config.json"),
        (["--process", "{}/process.json"], "process.json"),
        (["--process={}/process.json"], "process.json"),
    ],
)
def test_the_capability_is_removed_from_the_request(
    script: Path, tmp_path: Path, options: list[str], file: str
) -> None:
    """`create` has it in config.json of the bundle, `exec` in the file of `--process`."""
    lists = [["CAP_SYS_RESOURCE", "CAP_CHOWN"], ["CAP_CHOWN", "CAP_SYS_RESOURCE"], ["A", "CAP_SYS_RESOURCE", "B"]]
    (tmp_path / file).write_text(json.dumps(lists, separators=(",", ":")))
    words = [option.format(tmp_path) for option in options]
    done = subprocess.run([script, "create", *words, "name"], capture_output=True, text=True, check=True)
    assert json.loads((tmp_path / file).read_text()) == [["CAP_CHOWN"], ["CAP_CHOWN"], ["A", "B"]]
    assert done.stdout.split() == ["create", *words, "name"]


def test_other_calls_are_unchanged(script: Path) -> None:
    """Most calls of runc have no container configuration."""
    done = subprocess.run([script, "kill", "name", "9"], capture_output=True, text=True, check=True)
    assert done.stdout == "kill name 9\n"
