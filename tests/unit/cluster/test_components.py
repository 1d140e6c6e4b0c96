"""Flags and files of components that a working cluster depends on."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

import pytest

from tools.cluster.instance import Instance, Slice
from tools.cluster.kubernetes import components
from tools.cluster.kubernetes.components import Addresses
from tools.cluster.packages import manifests, node
from tools.cluster.packages.node import NodeLayout

_SLICE = Slice(ipaddress.IPv4Network("198.18.32.0/20"))
_LAYOUT = NodeLayout(Path("/state"))


def _addresses(host: str) -> Addresses:
    return Addresses(host=host, bind=host, api_port=6443, etcd_port=2379, peer_port=2380, services="10.0.0.0/24")


def _flags(words: list[str]) -> dict[str, str]:
    return dict(word.removeprefix("--").split("=", 1) for word in words if "=" in word)


@pytest.mark.parametrize(("host", "want"), [("127.0.0.1", "none"), ("198.18.32.2", "lease")])
def test_the_endpoint_is_never_a_loopback_address(host: str, want: str) -> None:
    """Pods cannot reach it, and Kubernetes rejects it as an endpoint of the Service `kubernetes`."""
    assert _flags(components.api_server(_LAYOUT, _addresses(host)))["endpoint-reconciler-type"] == want


def test_the_api_server_writes_an_audit_log_and_trusts_the_front_proxy() -> None:
    """Tests count API calls in the audit log. Aggregated APIs need the front-proxy certificates."""
    flags = _flags(components.api_server(_LAYOUT, _addresses("127.0.0.1")))
    assert flags["audit-log-path"] == str(_LAYOUT.audit_log)
    assert Path(flags["audit-policy-file"]).exists()
    assert {"requestheader-client-ca-file", "proxy-client-cert-file", "proxy-client-key-file"} <= set(flags)


def test_all_node_files_are_below_the_state_folder() -> None:
    """Files elsewhere would outlive the cluster."""
    instance = Instance("x", "0123abcd")
    files = node.files(_LAYOUT, instance, _SLICE)
    assert all(path.is_relative_to("/state") for path in files)
    configuration = json.loads(files[_LAYOUT.etc / "kubelet.json"])
    for key in ("podLogsDir", "volumePluginDir", "resolvConf"):
        assert configuration[key].startswith("/state/")
    assert configuration["cgroupRoot"] == "/perennate-0123abcd"


def test_required_kernel_settings_are_mounted_over() -> None:
    """Files are mounted over the settings, so the kubelet does not change those of the host."""
    files = node.files(_LAYOUT, Instance("x", "0123abcd"), _SLICE)
    assert files[_LAYOUT.etc / "kernel/vm/overcommit_memory"] == "1\n"
    assert len([path for path in files if "kernel" in path.parts]) == len(node.KERNEL_SETTINGS)


def test_pods_use_the_address_of_the_dns_service() -> None:
    """The kubelet's setting equals the address of the Service."""
    configuration = json.loads(node.kubelet(_LAYOUT, Instance("x", "0123abcd"), _SLICE))
    services = [document for path, document in manifests.name_service(_SLICE.dns_service) if "/services/" in path]
    assert configuration["clusterDNS"] == [services[0]["spec"]["clusterIP"]] == ["198.18.33.10"]


def test_volumes_are_local_and_have_separate_folders() -> None:
    """Only `local` volumes honour a pod's fsGroup."""
    paths = [
        manifests.volume(_LAYOUT.volumes, number)[1]["spec"]["local"]["path"] for number in range(manifests.VOLUMES)
    ]
    assert len(set(paths)) == manifests.VOLUMES
    assert manifests.is_volume_name(manifests.volume_name(3))
    assert not manifests.is_volume_name("somebody-elses")
