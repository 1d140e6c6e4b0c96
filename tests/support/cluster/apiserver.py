"""The API server without nodes for tests, and a reader of its audit log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.cluster.kubernetes.control_plane import ControlPlane

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["AuditEvent", "ControlPlane", "parse_audit", "read_audit"]

#: Verbs that change something.
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


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
