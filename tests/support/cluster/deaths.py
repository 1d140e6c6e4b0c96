"""Compare an operator that runs undisturbed with one that is killed after each of its writes."""

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
    """A status without what differs between two runs: times, uids, names that contain uids, the namespace."""
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
    """How many objects of each kind the operator created, according to the audit log."""
    events = [event for event in read_audit(plane.audit_log) if event.namespace == namespace]
    made = [event for event in events if event.agent.startswith("perennate") and event.code == 201]
    return Counter(event.resource for event in made if event.resource not in {"events", "leases"})


def places(writes: list[str], namespace: str) -> set[str]:
    """What was written, without uids in names, response codes and Events."""
    masks = (masked(line.rsplit(" ", 1)[0], namespace) for line in writes)
    return {line for line in masks if "/events" not in line}


def quiet(process: OperatorProcess, *, objects: int) -> bool:
    """Whether the operator is ready and has reconciled every object since it started."""
    if process.probe("/readyz")[0] != HTTPStatus.OK:
        return False
    values = dict(line.rsplit(" ", 1) for line in process.metrics().splitlines() if not line.startswith("#"))
    looked = sum(float(value) for name, value in values.items() if name.startswith("perennate_reconcile_total"))
    return looked >= objects and float(values["perennate_workqueue_oldest_seconds"]) == 0


def die_of_each_write(
    process: OperatorProcess,
    proxy: KillingProxy,
    pods: threading.Event,
    done: Callable[[], bool],
    *,
    objects: int,
    at_most: int,
) -> None:
    """Kill the operator after each of its writes and start it again, until `done` holds.

    Args:
        process: the operator.
        proxy: what it talks to.
        pods: set while it is the pods' turn: only when the operator has no write to make.
        done: whether all is done.
        objects: how many of ours there are.
        at_most: lives that it may have.

    Raises:
        AssertionError: it does not come to an end.
    """
    lives = 0
    proxy.kill = process.strike
    while not done():
        lives += 1
        assert lives <= at_most, f"it does not come to an end: {proxy.writes}"
        if process.exit_code is not None:
            pods.clear()
            process.start()
        # It dies of its next write; if it has none to make, it is the pods' turn.
        if not eventually(lambda: process.exit_code is not None or quiet(process, objects=objects)):
            raise AssertionError(process.tail())
        if process.exit_code is None:
            pods.set()
            assert eventually(lambda: process.exit_code is not None or done()), process.tail()
