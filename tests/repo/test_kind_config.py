"""kind accepts `kind-config.yaml`, which configures all versions of Kubernetes equally.

The parser rejects unknown fields and wrong types. `make test-kind` creates clusters from the file.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tools.cluster.instance import CHECKOUT
from tools.cluster.kind.cluster import AUDIT_LOG, CONFIGURATION
from tools.cluster.kubernetes.components import AUDIT_POLICY
from tools.cluster.programs import compiled

if TYPE_CHECKING:
    from pathlib import Path


def _check(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([compiled.kind(), "check-config", path], capture_output=True, text=True, check=False)


def test_kind_accepts_the_configuration() -> None:
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
def test_kind_rejects_an_invalid_configuration(tmp_path: Path, old: str, new: str, want: str) -> None:
    """A misspelt field, a wrong type and an unknown version, each by name."""
    text = CONFIGURATION.read_text()
    assert old in text
    broken = tmp_path / "kind-config.yaml"
    broken.write_text(text.replace(old, new, 1))
    done = _check(broken)
    assert done.returncode == 1
    assert want in done.stderr


def _node() -> dict[str, Any]:
    node: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text())["nodes"][0]
    return node


def _patch(version: str) -> dict[str, Any]:
    """The patch of one API version; kind ignores those of other versions."""
    patches = [yaml.safe_load(text) for text in _node()["kubeadmConfigPatches"]]
    (found,) = [patch for patch in patches if patch["apiVersion"] == version]
    return dict(found)


def _api_server(version: str) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Flags and volumes; the flags are a mapping in v1beta3 and a list in v1beta4."""
    server = _patch(f"kubeadm.k8s.io/{version}")["apiServer"]
    flags = server["extraArgs"]
    if isinstance(flags, list):
        flags = {each["name"]: each["value"] for each in flags}
    return flags, server["extraVolumes"]


def test_both_kubeadm_api_versions_get_the_same_settings() -> None:
    """Nodes get v1beta3 before Kubernetes 1.36, and v1beta4 from 1.36 on."""
    assert _api_server("v1beta3") == _api_server("v1beta4")


def test_the_api_server_writes_an_audit_log() -> None:
    """It uses the same audit policy as other API servers. The paths of mount, volume, flag and reader agree."""
    flags, shared = _api_server("v1beta4")
    mounts = {each["containerPath"]: each["hostPath"] for each in _node()["extraMounts"]}
    volumes = {each["mountPath"]: each["hostPath"] for each in shared}
    policy, log = flags["audit-policy-file"], flags["audit-log-path"]
    assert (CHECKOUT / mounts[policy]) == AUDIT_POLICY
    assert volumes[policy] == policy
    assert log == AUDIT_LOG
    assert any(log.startswith(f"{path}/") for path in volumes)


def test_a_kubelet_starts_with_cgroup_v1() -> None:
    """Without this setting, the start fails after four minutes with no cause in the error."""
    assert _patch("kubelet.config.k8s.io/v1beta1")["failCgroupV1"] is False
