"""The command line of every component. The API server has the same flags with and without a node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: Audit policy of every API server; kind mounts the same file.
AUDIT_POLICY = Path(__file__).parent / "audit-policy.yaml"

#: Controllers of a control plane without nodes: enough for Jobs, Deployments, owner references, namespaces and service
#: accounts.
NODELESS_CONTROLLERS = (
    "deployment-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "replicaset-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "ttl-after-finished-controller",
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of a control plane's files, in one folder."""

    root: Path

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.root / "pki"

    @property
    def etcd(self) -> Path:
        """The data of etcd."""
        return self.root / "etcd"

    @property
    def logs(self) -> Path:
        """One log per component."""
        return self.root / "log"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log, one JSON event per line."""
        return self.logs / "audit.jsonl"

    def kubeconfig(self, user: str) -> Path:
        """Return the path of the kubeconfig of `user`."""
        return self.root / f"{user}.kubeconfig"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses of the control plane.

    Attributes:
        host: address for clients.
        bind: address that the API server listens on.
        api_port: the API server's port.
        etcd_port: etcd's client port on 127.0.0.1.
        peer_port: etcd's peer port on 127.0.0.1, which is not used.
        services: range of service addresses.
    """

    host: str
    bind: str
    api_port: int
    etcd_port: int
    peer_port: int
    services: str

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://{self.host}:{self.api_port}"

    @property
    def etcd_url(self) -> str:
        """URL of etcd."""
        return f"http://127.0.0.1:{self.etcd_port}"


def etcd(layout: Layout, addresses: Addresses) -> list[str]:
    """Return the command of etcd: one member without fsync, because its data are disposable."""
    peer = f"http://127.0.0.1:{addresses.peer_port}"
    return [
        "etcd",
        f"--data-dir={layout.etcd}",
        "--unsafe-no-fsync",
        f"--listen-client-urls={addresses.etcd_url}",
        f"--advertise-client-urls={addresses.etcd_url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--log-level=warn",
    ]


def api_server(layout: Layout, addresses: Addresses) -> list[str]:
    """Return the command of the API server: RBAC, an audit log, and front-proxy certificates for aggregated APIs."""
    pki = layout.pki
    loopback = addresses.host.startswith("127.")
    return [
        "kube-apiserver",
        f"--etcd-servers={addresses.etcd_url}",
        f"--bind-address={addresses.bind}",
        f"--advertise-address={addresses.host}",
        f"--secure-port={addresses.api_port}",
        # A loopback address is not valid as an endpoint of the service `kubernetes`, which is not needed without nodes.
        f"--endpoint-reconciler-type={'none' if loopback else 'lease'}",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--client-ca-file={pki}/ca.crt",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki}/service-account.pub",
        f"--service-account-signing-key-file={pki}/service-account.key",
        f"--service-cluster-ip-range={addresses.services}",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt",
        f"--kubelet-client-key={pki}/kubelet-client.key",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        # DNS does not resolve node names.
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki}/front-proxy.crt",
        f"--proxy-client-key-file={pki}/front-proxy.key",
        f"--audit-policy-file={AUDIT_POLICY}",
        f"--audit-log-path={layout.audit_log}",
        "--allow-privileged=true",
        # The grace period at shutdown is for load balancers; here it would only delay every stop.
        "--shutdown-delay-duration=0s",
        "--profiling=false",
    ]


def controller_manager(layout: Layout, *, controllers: tuple[str, ...] = ("*",), pods: str | None = None) -> list[str]:
    """Return the command of the controller manager.

    Args:
        layout: paths of its files.
        controllers: which controllers to run.
        pods: range of pod addresses, if nodes get a part of it.
    """
    return [
        "kube-controller-manager",
        f"--kubeconfig={layout.kubeconfig('controller-manager')}",
        f"--controllers={','.join(controllers)}",
        f"--root-ca-file={layout.pki}/ca.crt",
        f"--service-account-private-key-file={layout.pki}/service-account.key",
        f"--cluster-signing-cert-file={layout.pki}/ca.crt",
        f"--cluster-signing-key-file={layout.pki}/ca.key",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
        *([f"--cluster-cidr={pods}"] if pods else []),
    ]


def scheduler(layout: Layout) -> list[str]:
    """Return the command of the scheduler."""
    return [
        "kube-scheduler",
        f"--kubeconfig={layout.kubeconfig('scheduler')}",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
    ]


def proxy(layout: Layout, *, node: str, pods: str) -> list[str]:
    """Return the command of kube-proxy, with nftables, and without changes to the host's connection-tracking limits."""
    return [
        "kube-proxy",
        f"--kubeconfig={layout.kubeconfig('proxy')}",
        "--proxy-mode=nftables",
        f"--cluster-cidr={pods}",
        f"--hostname-override={node}",
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0s",
        "--conntrack-tcp-timeout-close-wait=0s",
        "--healthz-bind-address=127.0.0.1:10256",
    ]


def kubelet(layout: Layout, *, configuration: Path, node: str, address: str) -> list[str]:
    """Return the command of the kubelet; most settings are in its configuration file."""
    return [
        "kubelet",
        f"--config={configuration}",
        f"--kubeconfig={layout.kubeconfig('kubelet')}",
        f"--root-dir={layout.root}/kubelet",
        f"--cert-dir={layout.root}/kubelet/pki",
        f"--hostname-override={node}",
        f"--node-ip={address}",
    ]
