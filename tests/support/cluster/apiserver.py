"""The API server without nodes for tests, with our installation on it, and a reader of its audit log."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tools.cluster.host.commands import run
from tools.cluster.kubernetes.control_plane import ControlPlane
from tools.cluster.kubernetes.pki import Identity

__all__ = ["AuditEvent", "ControlPlane", "InstalledPlane", "parse_audit", "read_audit"]

OPERATOR_NAMESPACE = "perennate-system"
OPERATOR_ACCOUNT = f"system:serviceaccount:{OPERATOR_NAMESPACE}:perennate-operator"
BASE = Path(__file__).parents[3] / "manifests" / "base"
INSTALLED = ("namespace", "service-account", "operator-role", "lease-role", "user-roles", "admission-policy")
"""Files of manifests/base on an `InstalledPlane`: all but the operator's pods, which tests run as processes."""
_OPERATOR = Identity("operator", OPERATOR_ACCOUNT, "system:serviceaccounts")

#: Verbs that change something.
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


class InstalledPlane(ControlPlane):
    """A control plane with manifests/base, so that an operator has its own account, roles and admission policy.

    Args:
        folder: an empty folder for certificates, data and logs.
        installed: names of files in manifests/base to apply besides the CRDs.
    """

    def __init__(self, folder: Path, *, installed: tuple[str, ...] = INSTALLED) -> None:
        super().__init__(folder, crds=[BASE / "crds.yaml"], users=[_OPERATOR])
        self._files = [word for name in installed for word in ("--filename", str(BASE / f"{name}.yaml"))]

    @property
    def operator_kubeconfig(self) -> Path:
        """Kubeconfig with the rights of the operator's service account."""
        return self.kubeconfig_of(_OPERATOR)

    def start(self) -> Self:
        """Start everything, and install."""
        super().start()
        try:
            run([*self.kubectl, "apply", "--server-side", *self._files], what="install manifests/base")
        except BaseException:
            self.stop()
            raise
        return self

    def apply(self, manifests: str) -> None:
        """Apply manifests, as the administrator."""
        command = [*self.kubectl, "apply", "--server-side", "--filename", "-"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, input=manifests, text=True)


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One call that an API server answered.

    Attributes:
        user: who called.
        agent: the caller's User-Agent.
        verb: get, list, create, update, patch, delete, deletecollection.
        resource: plural name with subresource, as "trainingjobs/status".
        namespace: the object's namespace, or "".
        name: the object's name, or "".
        code: HTTP status.
        denied: the caller has no right to it; a 403 may also mean that the namespace is being deleted.
        time: when it was answered, RFC 3339.
    """

    user: str
    agent: str
    verb: str
    resource: str
    namespace: str
    name: str
    code: int
    denied: bool
    time: str

    @property
    def writes(self) -> bool:
        """Whether the call changes something."""
        return self.verb in WRITES


def read_audit(log: Path, *, offset: int = 0) -> list[AuditEvent]:
    """Return the calls that `log` records from byte `offset` on.

    An incomplete last line is left out.
    """
    with log.open("rb") as handle:
        handle.seek(offset)
        return parse_audit(handle.read().decode())


def parse_audit(text: str) -> list[AuditEvent]:
    """Return the calls in the text of an audit log; an incomplete last line is left out."""
    return [_event(json.loads(line)) for line in text.split("\n")[:-1]]


def _event(document: dict[str, Any]) -> AuditEvent:
    reference = document.get("objectRef", {})
    parts = (reference.get("resource", ""), reference.get("subresource", ""))
    return AuditEvent(
        user=document["user"].get("username", ""),
        agent=document.get("userAgent", ""),
        verb=document["verb"],
        resource="/".join(part for part in parts if part),
        namespace=reference.get("namespace", ""),
        name=reference.get("name", ""),
        code=document.get("responseStatus", {}).get("code", 0),
        denied=document.get("annotations", {}).get("authorization.k8s.io/decision") == "forbid",
        time=document["stageTimestamp"],
    )
