"""Acts as the kubelet on a cluster without nodes: writes the status of pods."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from perennate.api.documents.canonical import short_version
from perennate.api.documents.metric import Metric, MetricValue
from perennate.api.documents.model_manifest import version_uri
from perennate.api.documents.stage_result import PublishedVersion, RunError, StageResult
from perennate.api.meta import Manifest
from perennate.api.wellknown import LABEL_MODEL_DEPLOYMENT, LABEL_TRAINING_JOB, STAGES
from perennate.kube.runtime.resources import POD
from tests.support.cluster.kube_user import KubeUser, Refused
from tests.support.cluster.manifests import DIGEST, PROFILE_DIGEST

_AT = "2026-01-01T00:00:00Z"
_PAUSE = 0.1
_FINGERPRINT = "sha256:" + "c" * 64
Status = dict[str, Any]


def published(*, model: str = "rain", digest: str = DIGEST, profile_digest: str = PROFILE_DIGEST) -> Status:
    """The status of a pod whose three stages succeeded and that published a version."""
    version = PublishedVersion(
        name=model,
        version=short_version(digest),
        uri=version_uri(model, digest),
        digest=digest,
        profile_digest=profile_digest,
    )
    result = StageResult(
        stage="publish",
        fingerprint=_FINGERPRINT,
        model_version=version,
        # The API server validates a whole number as an integer.
        metrics=(MetricValue(name=Metric.AUC, value=0.84), MetricValue(name=Metric.RECALL, value=1.0)),
    )
    ends = [
        _ended(stage, 0, StageResult(stage=stage, fingerprint=_FINGERPRINT).model_dump_json(by_alias=True))
        for stage in STAGES[:2]
    ]
    ends.append(_ended("publish", 0, result.model_dump_json(by_alias=True, exclude_none=True)))
    return _finished("Succeeded", ends)


def failed(stage: str, code: int, *, reason: str = "", message: str = "") -> Status:
    """The status of a pod with a failed stage and its termination message."""
    text = message
    if reason:
        result = StageResult(stage=stage, error=RunError(reason=reason, message=message))
        text = result.model_dump_json(by_alias=True, exclude_none=True)
    before = STAGES[: STAGES.index(stage)]
    ends = [_ended(name, 0, "") for name in before] + [_ended(stage, code, text)]
    return _finished("Failed", ends)


def ready(address: str = "127.0.0.1") -> Status:
    """The status of a ready serving pod.

    Its address is loopback, which the operator never scrapes, so no test sends packets to a foreign address.
    """
    conditions = [
        {"type": kind, "status": "True"} for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    container = {"name": "serve", "image": "x", "imageID": "x", "ready": True, "restartCount": 0}
    running = {**container, "started": True, "state": {"running": {"startedAt": _AT}}}
    return {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": _AT,
        "conditions": conditions,
        "initContainerStatuses": [_ended("fetch", 0, "")],
        "containerStatuses": [running],
    }


def restarting(container: str, code: int, message: str) -> Status:
    """The status of a serving pod with a failed init container in back-off, as the kubelet reports it."""
    end = _ended(container, code, message)
    waits = {"waiting": {"reason": "CrashLoopBackOff", "message": f"back-off 10s restarting failed {container}"}}
    serve = {"name": "serve", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
    return {
        "phase": "Pending",
        "startTime": _AT,
        "conditions": [{"type": kind, "status": "False"} for kind in ("Initialized", "Ready", "ContainersReady")],
        "initContainerStatuses": [end | {"restartCount": 1, "state": waits, "lastState": end["state"]}],
        "containerStatuses": [{**serve, "state": {"waiting": {"reason": "PodInitializing"}}}],
    }


@dataclass
class PodActor:
    """Writes the status that `script` returns for each new pod of a namespace, once for each pod.

    Pods that are being deleted are removed, as by a kubelet.
    """

    user: KubeUser
    namespace: str
    script: Callable[[Manifest], Status | None]
    _stopped: threading.Event = field(default_factory=threading.Event, init=False)
    _served: set[str] = field(default_factory=set, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread = threading.Thread(target=self._play, name="pod actor", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the thread."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _play(self) -> None:
        while not self._stopped.wait(_PAUSE):
            for pod in self.user.list(POD, self.namespace):
                self._serve(pod)

    def _serve(self, pod: Manifest) -> None:
        metadata = pod["metadata"]
        try:
            if "deletionTimestamp" in metadata:
                path = POD.path(self.namespace, metadata["name"])
                self.user.call("DELETE", path, {"gracePeriodSeconds": 0})
            elif metadata["uid"] not in self._served and (status := self.script(pod)) is not None:
                self.user.edit(POD, self.namespace, metadata["name"], {"status": status}, status=True)
                self._served.add(metadata["uid"])
        except Refused:
            return  # The pod was deleted or changed since it was listed. The next round reads it again.


def play_success(pod: Manifest) -> Status | None:
    """A script in which every run publishes a version and every serving pod becomes ready."""
    labels = pod["metadata"].get("labels", {})
    if LABEL_TRAINING_JOB in labels:
        return published()
    return ready() if LABEL_MODEL_DEPLOYMENT in labels else None


def _ended(name: str, code: int, message: str) -> Status:
    ended = {"exitCode": code, "startedAt": _AT, "finishedAt": _AT, "reason": "Completed" if code == 0 else "Error"}
    state = {"terminated": ended | ({"message": message} if message else {})}
    return {"name": name, "image": "x", "imageID": "x", "ready": False, "restartCount": 0, "state": state}


def _finished(phase: str, ends: list[Status]) -> Status:
    """The status of a finished pod. The main container is `publish`, the others are init containers."""
    conditions = [{"type": kind, "status": "False"} for kind in ("Ready", "ContainersReady")]
    waiting = {"name": "publish", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
    main = [end for end in ends if end["name"] == "publish"]
    return {
        "phase": phase,
        "startTime": _AT,
        "conditions": conditions,
        "initContainerStatuses": [end for end in ends if end["name"] != "publish"],
        "containerStatuses": main or [{**waiting, "state": {"waiting": {"reason": "PodInitializing"}}}],
    }
