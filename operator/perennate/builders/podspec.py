"""Parts of pod templates: the restricted pod security standard, volumes, mounts, environment, resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perennate.api.wellknown import RUN_AS_USER, STORE_CLAIM

if TYPE_CHECKING:
    from perennate.api.meta import Manifest
    from perennate.api.resource_requirements import ResourceRequirements

STORE_VOLUME: Final = "store"
DISK_LIMIT: Final = "10Gi"
"""Size limit of an emptyDir on disk, if nothing else is set."""


def pod_defaults(*, grace_seconds: int) -> Manifest:
    """Fields of every pod: no service account token, no root user, the group of the volumes, the grace period."""
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": grace_seconds,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": RUN_AS_USER,
            "runAsGroup": RUN_AS_USER,
            "fsGroup": RUN_AS_USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def container_security() -> Manifest:
    """Security context of every container: no privileges, read-only root file system."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def empty_dir(name: str, *, limit: str | int = DISK_LIMIT, in_memory_limit: str | None = None) -> Manifest:
    """An emptyDir volume with a size limit, on disk, or in memory if `in_memory_limit` is given."""
    if in_memory_limit is not None:
        return {"name": name, "emptyDir": {"medium": "Memory", "sizeLimit": in_memory_limit}}
    return {"name": name, "emptyDir": {"sizeLimit": limit}}


def claim_volume(name: str, claim: str) -> Manifest:
    """A volume from a PersistentVolumeClaim of the namespace."""
    return {"name": name, "persistentVolumeClaim": {"claimName": claim}}


def store_volume() -> Manifest:
    """The volume with the model versions of the namespace."""
    return claim_volume(STORE_VOLUME, STORE_CLAIM)


def mount(name: str, path: str, *, read_only: bool = False, sub_path: str | None = None) -> Manifest:
    """A volume mount of a container."""
    volume_mount: Manifest = {"name": name, "mountPath": path}
    if sub_path is not None:
        volume_mount["subPath"] = sub_path
    if read_only:
        volume_mount["readOnly"] = True
    return volume_mount


def environment(**variables: str) -> list[Manifest]:
    """Environment variables of a container, in order."""
    return [{"name": name, "value": value} for name, value in variables.items()]


def pod_field(name: str, path: str) -> Manifest:
    """An environment variable with a field of the pod (downward API)."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def resources(wanted: ResourceRequirements | None, default: Manifest) -> Manifest:
    """Resources of a container: those of the spec, or a copy of the default."""
    if wanted is None:
        return {key: dict(values) for key, values in default.items()}
    document = {"requests": dict(wanted.requests), "limits": dict(wanted.limits)}
    return {key: values for key, values in document.items() if values}
