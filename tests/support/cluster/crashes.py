"""Comparison of an operator that runs undisturbed with one that is killed after each of its writes."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import DEPLOYMENT, JOB, SERVICE
from tests.support.cluster.apiserver import read_audit
from tests.support.cluster.waiting import eventually

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from tests.support.cluster.apiserver import ControlPlane
    from tests.support.cluster.killing_proxy import KillingProxy
    from tests.support.cluster.kube_user import KubeUser
    from tests.support.cluster.operator_process import OperatorProcess

VOLATILE = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+Z|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\b(?:first|watch)(?:-[0-9a-f]{8})+\b"
)


def masked(value: Any, namespace: str) -> Any:
    """A status without values that differ between runs: times, uids, names that contain uids, the namespace."""
    if isinstance(value, dict):
        return {name: masked(child, namespace) for name, child in sorted(value.items())}
    if isinstance(value, list):
        return [masked(child, namespace) for child in value]
    return VOLATILE.sub("*", value).replace(namespace, "ns") if isinstance(value, str) else value


def end_state(user: KubeUser, namespace: str) -> Any:
    """The final state: the statuses, the number of children, and the specs of the Deployments."""
    statuses = {
        kind.kind: sorted((masked(one.get("status"), namespace) for one in user.list(kind, namespace)), key=json.dumps)
        for kind in RESOURCES.primary.values()
    }
    counts = {kind.kind: len(user.list(kind, namespace)) for kind in (JOB, DEPLOYMENT, SERVICE)}
    specs = [masked(one["spec"], namespace) for one in user.list(DEPLOYMENT, namespace)]
    return {"statuses": statuses, "counts": counts, "specs": specs}


def difference(found: Any, wanted: Any) -> str:
    """The differences as a unified diff."""
    before, after = (json.dumps(side, indent=1).splitlines() for side in (wanted, found))
    return "\n".join(difflib.unified_diff(before, after, "wanted", "found", lineterm="", n=1))


def created(plane: ControlPlane, namespace: str) -> Counter[str]:
    """The number of objects of each kind that the operator created, according to the audit log."""
    events = [event for event in read_audit(plane.audit_log) if event.namespace == namespace]
    made = [event for event in events if event.agent.startswith("perennate") and event.code == 201]
    return Counter(event.resource for event in made if event.resource not in {"events", "leases"})


def written_paths(writes: list[str], namespace: str) -> set[str]:
    """The written paths, without uids in names, response codes and Events."""
    masks = (masked(line.rsplit(" ", 1)[0], namespace) for line in writes)
    return {line for line in masks if "/events" not in line}


def is_idle(process: OperatorProcess, *, objects: int) -> bool:
    """Whether the operator is ready and has reconciled every object since it started."""
    if process.probe("/readyz")[0] != HTTPStatus.OK:
        return False
    values = dict(line.rsplit(" ", 1) for line in process.metrics().splitlines() if not line.startswith("#"))
    passes = sum(float(value) for name, value in values.items() if name.startswith("perennate_reconcile_total"))
    return passes >= objects and float(values["perennate_workqueue_oldest_seconds"]) == 0


def kill_after_each_write(
    process: OperatorProcess,
    proxy: KillingProxy,
    pods: threading.Event,
    done: Callable[[], bool],
    *,
    objects: int,
    max_starts: int,
) -> None:
    """Kill the operator after each write and restart it, until `done` holds.

    Args:
        process: the operator.
        proxy: the proxy between operator and API server.
        pods: set while pods may change, that is, when the operator has nothing to write.
        done: whether the final state is reached.
        objects: number of our objects.
        max_starts: maximum number of starts.

    Raises:
        AssertionError: the final state is not reached.
    """
    starts = 0
    proxy.kill = process.send_sigkill
    while not done():
        starts += 1
        assert starts <= max_starts, f"the final state is not reached: {proxy.writes}"
        if process.exit_code is not None:
            pods.clear()
            process.start()
        # The next write kills it. If it has nothing to write, let the pods change.
        if not eventually(lambda: process.exit_code is not None or is_idle(process, objects=objects)):
            raise AssertionError(process.tail())
        if process.exit_code is None:
            pods.set()
            assert eventually(lambda: process.exit_code is not None or done()), process.tail()
