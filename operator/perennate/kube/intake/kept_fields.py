"""The fields of objects that the operator reads, as types: decoding into them allocates nothing else.

A field that is read must be declared here. Tests of the reconcilers compare plans for whole and for trimmed objects.
"""

from __future__ import annotations

from typing import Any, Final, TypedDict

import msgspec


class _Owner(TypedDict, total=False):
    apiVersion: str
    kind: str
    name: str
    uid: str
    controller: bool | None


class _Metadata(TypedDict, total=False):
    name: str
    namespace: str
    uid: str
    resourceVersion: str
    generation: int
    creationTimestamp: str | None
    deletionTimestamp: str | None
    labels: dict[str, str] | None
    annotations: dict[str, str] | None
    ownerReferences: list[_Owner] | None


class _Head(TypedDict, total=False):
    apiVersion: str
    kind: str


class _Object(TypedDict, total=False):
    """An object of which only the metadata is read."""

    apiVersion: str
    kind: str
    metadata: _Metadata


class _Condition(TypedDict, total=False):
    type: str
    status: str
    reason: str | None
    message: str | None
    lastTransitionTime: str | None


class _JobSpec(TypedDict, total=False):
    suspend: bool | None


class _JobStatus(TypedDict, total=False):
    conditions: list[_Condition] | None
    startTime: str | None
    completionTime: str | None
    active: int | None
    succeeded: int | None
    failed: int | None


class _Job(_Object, total=False):
    spec: _JobSpec
    status: _JobStatus


class _State(TypedDict, total=False):
    exitCode: int | None
    reason: str | None
    message: str | None
    startedAt: str | None
    finishedAt: str | None


class _States(TypedDict, total=False):
    waiting: _State | None
    running: _State | None
    terminated: _State | None


class _Container(TypedDict, total=False):
    name: str
    ready: bool | None
    restartCount: int | None
    state: _States | None
    lastState: _States | None


class _PodStatus(TypedDict, total=False):
    phase: str | None
    hostIP: str | None
    podIP: str | None
    reason: str | None
    message: str | None
    startTime: str | None
    conditions: list[_Condition] | None
    initContainerStatuses: list[_Container] | None
    containerStatuses: list[_Container] | None


class _Pod(_Object, total=False):
    status: _PodStatus


class _DeploymentStatus(TypedDict, total=False):
    observedGeneration: int | None
    replicas: int | None
    updatedReplicas: int | None
    readyReplicas: int | None
    availableReplicas: int | None
    unavailableReplicas: int | None
    conditions: list[_Condition] | None


class _Deployment(_Object, total=False):
    spec: msgspec.Raw
    status: _DeploymentStatus


class _Service(_Object, total=False):
    spec: msgspec.Raw


class _Resource(_Object, total=False):
    spec: msgspec.Raw
    status: dict[str, Any]
    oversize: str


_TYPES: Final[dict[tuple[str, str], Any]] = {
    ("batch/v1", "Job"): _Job,
    ("v1", "Pod"): _Pod,
    ("apps/v1", "Deployment"): _Deployment,
    ("v1", "Service"): _Service,
    ("apps/v1", "ReplicaSet"): _Object,
    ("v1", "PersistentVolumeClaim"): _Object,
}
DECODERS: Final = {key: msgspec.json.Decoder(found) for key, found in _TYPES.items()}
RESOURCE: Final = msgspec.json.Decoder(_Resource)
HEAD: Final = msgspec.json.Decoder(_Head)
RAW: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
