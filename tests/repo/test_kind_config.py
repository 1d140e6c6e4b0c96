"""`kind-config.yaml` is what kind's own parser accepts, and says what the local cluster says.

What is not run here: kind needs a Docker engine, so no cluster is made from the file, and kind's later check of values
(port ranges, numbers of nodes) is not reached. The parser is strict: unknown fields and wrong types are refused.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tools.cluster.instance import CHECKOUT
from tools.cluster.kind.cluster import CONFIGURATION
from tools.cluster.programs import compiled

if TYPE_CHECKING:
    from pathlib import Path


def _check(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([compiled.kind(), "check-config", path], capture_output=True, text=True, check=False)


def test_kind_accepts_the_configuration() -> None:
    """The file that `make cluster-up` hands to kind parses."""
    done = _check(CONFIGURATION)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        ("kubeadmConfigPatches", "kubeadmPatches", "field kubeadmPatches not found"),
        ("readOnly: true", "readOnly: perhaps", "cannot unmarshal"),
        ("v1alpha4", "v1alpha3", "unknown apiVersion: kind.x-k8s.io/v1alpha3"),
    ],
)
def test_kind_refuses_what_is_wrong(tmp_path: Path, old: str, new: str, want: str) -> None:
    """The parser is not a formality: a misspelt field, a wrong type and another version are each refused by name."""
    text = CONFIGURATION.read_text()
    assert old in text
    broken = tmp_path / "kind-config.yaml"
    broken.write_text(text.replace(old, new, 1))
    done = _check(broken)
    assert done.returncode == 1
    assert want in done.stderr


def _api_server() -> dict[str, Any]:
    node = yaml.safe_load(CONFIGURATION.read_text())["nodes"][0]
    patch: dict[str, Any] = yaml.safe_load(node["kubeadmConfigPatches"][0])
    server: dict[str, Any] = patch["apiServer"]
    return {"mounts": node["extraMounts"], **server}


def test_kinds_api_server_keeps_the_same_audit_log() -> None:
    """The policy file is the local cluster's, and its path is the same in mount, volume and flag."""
    server = _api_server()
    mounts = {each["containerPath"]: each["hostPath"] for each in server["mounts"]}
    flags = {each["name"]: each["value"] for each in server["extraArgs"]}
    volumes = {each["mountPath"]: each["hostPath"] for each in server["extraVolumes"]}
    policy = flags["audit-policy-file"]
    assert (CHECKOUT / mounts[policy]).read_text().count("level:") == 2
    assert volumes[policy] == policy
    assert any(flags["audit-log-path"].startswith(f"{path}/") for path in volumes)
