"""Certificates of a cluster, created with `openssl`. Elliptic-curve keys take a fraction of a second."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.cluster.host.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: Longer than the lifetime of a test cluster.
_DAYS = "365"
_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


@dataclass(frozen=True, slots=True)
class Identity:
    """The subject of a certificate.

    Attributes:
        name: base name of the two files `<name>.crt` and `<name>.key`.
        common_name: the user or the server.
        group: the organisation, which is the user's group in Kubernetes.
        names: subject alternative names, such as "DNS:localhost" or "IP:127.0.0.1".
    """

    name: str
    common_name: str
    group: str = ""
    names: tuple[str, ...] = ()

    def subject(self) -> str:
        """Return the subject in the syntax of openssl."""
        return (f"/O={self.group}" if self.group else "") + f"/CN={self.common_name}"


ADMIN = Identity("admin", "admin", "system:masters")
CONTROLLER_MANAGER = Identity("controller-manager", "system:kube-controller-manager")
SCHEDULER = Identity("scheduler", "system:kube-scheduler")
PROXY = Identity("proxy", "system:kube-proxy")
KUBELET_CLIENT = Identity("kubelet-client", "kube-apiserver-kubelet-client", "system:masters")
#: Signed by a separate authority: aggregated API servers trust its headers with the user's identity.
FRONT_PROXY = Identity("front-proxy", "front-proxy-client")


def api_server(addresses: Iterable[str]) -> Identity:
    """Return the identity of the API server, valid for the IP addresses `addresses`."""
    hosts = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost")
    return Identity(
        "apiserver",
        "kube-apiserver",
        names=(*(f"DNS:{host}" for host in hosts), *(f"IP:{address}" for address in addresses)),
    )


def node(name: str, address: str) -> Identity:
    """Return the client and server identity of the kubelet on node `name`."""
    return Identity("kubelet", f"system:node:{name}", "system:nodes", (f"DNS:{name}", f"IP:{address}"))


def issue(folder: Path, identities: Iterable[Identity]) -> None:
    """Create two authorities, the service account key and a certificate for each of `identities` in `folder`.

    A complete folder is not changed, so a restarted control plane keeps its certificates.

    Raises:
        ClusterError: `openssl` is missing or failed.
    """
    if (folder / "complete").exists():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for authority in ("ca", "front-proxy-ca"):
        _authority(folder, authority)
    _service_account_key(folder)
    with ThreadPoolExecutor() as pool:
        # list() raises the exception of any of them here.
        list(pool.map(lambda identity: _certificate(folder, identity), (*identities, FRONT_PROXY)))
    (folder / "complete").touch()


def _authority(folder: Path, name: str) -> None:
    command = ["openssl", "req", "-x509", *_NEW_KEY, "-days", _DAYS, "-subj", f"/CN=perennate-{name}"]
    run(
        [*command, "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"],
        what="create a certificate authority",
    )


def _service_account_key(folder: Path) -> None:
    key = folder / "service-account.key"
    run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key],
        what="create the service account key",
    )
    run(
        ["openssl", "pkey", "-in", key, "-pubout", "-out", folder / "service-account.pub"],
        what="create the service account key",
    )


def _certificate(folder: Path, identity: Identity) -> None:
    authority = "front-proxy-ca" if identity is FRONT_PROXY else "ca"
    extensions = ["-addext", "extendedKeyUsage=serverAuth,clientAuth", "-addext", "basicConstraints=critical,CA:FALSE"]
    if identity.names:
        extensions += ["-addext", "subjectAltName=" + ",".join(identity.names)]
    signer = ["-CA", folder / f"{authority}.crt", "-CAkey", folder / f"{authority}.key"]
    files = ["-keyout", folder / f"{identity.name}.key", "-out", folder / f"{identity.name}.crt"]
    command = [
        "openssl",
        "req",
        "-x509",
        *_NEW_KEY,
        "-days",
        _DAYS,
        "-subj",
        identity.subject(),
        *extensions,
        *signer,
        *files,
    ]
    run(command, what=f"create the certificate of {identity.common_name}")
