"""Configuration files of a node: container runtime, pod network, kubelet."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.cluster.kubernetes.components import Layout

if TYPE_CHECKING:
    from pathlib import Path

    from tools.cluster.instance import Instance, Slice

NODE = "node-1"
API_PORT = 6443
PAUSE_IMAGE = "localhost/perennate-pause:1"
DNS_IMAGE = "localhost/perennate-dns:1"

#: Snapshotters that we never use; each would probe its file system at every start.
_UNUSED_SNAPSHOTTERS = ("btrfs", "devmapper", "zfs")

#: Kernel settings that the kubelet requires and that are not namespaced. Files with the expected values are mounted
#: over them, so the kubelet does not change the host's settings.
KERNEL_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


@dataclass(frozen=True, slots=True)
class NodeLayout(Layout):
    """Paths of a node's files, in the same folder as those of its control plane."""

    @property
    def etc(self) -> Path:
        """Configuration files."""
        return self.root / "etc"

    @property
    def containerd_socket(self) -> Path:
        """The container runtime's socket."""
        return self.root / "containerd.sock"

    @property
    def containerd_root(self) -> Path:
        """Images and layers of the container runtime."""
        return self.root / "containerd"

    @property
    def volumes(self) -> Path:
        """Folders of the local persistent volumes."""
        return self.root / "volumes"

    @property
    def temporary(self) -> Path:
        """Home and temporary folder of all components."""
        return self.root / "tmp"


def containerd(layout: NodeLayout) -> str:
    """Return containerd's configuration (TOML), with all its files in the state folder."""
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""\
version = 2
root = "{layout.containerd_root}"
state = "{layout.root}/containerd-run"
disabled_plugins = {json.dumps([f"io.containerd.snapshotter.v1.{name}" for name in _UNUSED_SNAPSHOTTERS])}
[grpc]
  address = "{layout.containerd_socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{layout.root}/opt"
[{cri}]
  sandbox_image = "{PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE, lowering oom_score_adj fails and no pod would start.
  restrict_oom_score_adj = true
[{cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "{layout.etc}/cni"
[{cri}.containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[{cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
"""


def pod_network(layout: NodeLayout, addresses: Slice) -> str:
    """Return the CNI configuration: a point-to-point link for each pod.

    A bridge would not work: responses between pods of one node would bypass the NAT of service addresses.
    """
    ranges = [[{"subnet": str(addresses.node_pods)}]]
    ipam = {"type": "host-local", "dataDir": f"{layout.root}/ipam", "routes": [{"dst": "0.0.0.0/0"}], "ranges": ranges}
    return json.dumps(
        {"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "ptp", "ipMasq": False, "ipam": ipam}]}, indent=2
    )


def kubelet(layout: NodeLayout, instance: Instance, addresses: Slice) -> str:
    """Return the kubelet's configuration, as JSON."""
    configuration: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{layout.pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{layout.pki}/kubelet.crt",
        "tlsPrivateKeyFile": f"{layout.pki}/kubelet.key",
        "clusterDomain": "cluster.local",
        "clusterDNS": [addresses.dns_service],
        "resolvConf": f"{layout.etc}/resolv.conf",
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{instance.id}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "podLogsDir": f"{layout.root}/pod-logs",
        "volumePluginDir": f"{layout.root}/volume-plugins",
        # Our pods use no host ports, so iptables is not needed.
        "makeIPTablesUtilChains": False,
        "readOnlyPort": 0,
        "maxPods": 200,
        "serializeImagePulls": False,
        # The disk belongs to the host: evict only when it is full, and never delete a loaded image.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
    }
    return json.dumps(configuration, indent=2)


def files(layout: NodeLayout, instance: Instance, addresses: Slice) -> dict[Path, str]:
    """Return every configuration file of the node: path -> content."""
    written = {
        layout.etc / "containerd.toml": containerd(layout),
        layout.etc / "cni/10-pods.conflist": pod_network(layout, addresses),
        layout.etc / "kubelet.json": kubelet(layout, instance, addresses),
        layout.etc / "resolv.conf": "# Only cluster names are resolved; no query leaves the machine.\n",
    }
    for name, value in KERNEL_SETTINGS.items():
        written[layout.etc / "kernel" / name] = f"{value}\n"
    return written
