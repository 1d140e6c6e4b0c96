"""Sequences of calls whose responses the operator relies on, and a comparable form of the responses.

Each sequence gets a `KubeClient` and a namespace, and yields what it observed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from perennate.api.meta import Manifest
from perennate.api.wellknown import FIELD_MANAGER, STATUS_MANAGER
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.client import ApiError, KubeClient
from perennate.kube.runtime.resources import DRIFT_WINDOW, JOB, LEASE, SERVICE
from tests.support.cluster import manifests
from tests.support.world.field_ownership import value_at

RUN = RESOURCES.primary["TrainingJob"]
Calls = Callable[[KubeClient, str], AsyncIterator[Any]]


async def refusal(call: Awaitable[object]) -> tuple[int, str]:
    """Status code and reason of the error of a call; (0, "") if it succeeds."""
    try:
        await call
    except ApiError as error:
        return error.code, error.reason
    return 0, ""


def changes(before: Manifest, after: Manifest) -> tuple[bool, bool, int | None]:
    """Whether the uid changed, whether the resource version changed, and by how much the generation grew."""
    old, new = before["metadata"], after["metadata"]
    grown = new["generation"] - old["generation"] if "generation" in old else None
    return old["uid"] != new["uid"], old["resourceVersion"] != new["resourceVersion"], grown


def status_of(run: Manifest, **status: Any) -> Manifest:
    """A manifest that applies the status of a TrainingJob."""
    return {**_head(run), "status": status}


def _head(manifest: Manifest, **metadata: Any) -> Manifest:
    names = {name: manifest["metadata"][name] for name in ("name", "namespace")}
    return {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"], "metadata": {**names, **metadata}}


async def create_and_read(client: KubeClient, namespace: str) -> AsyncIterator[Any]:
    """A new object has a generation, a uid and a version. A second object of the same name is rejected."""
    wanted = manifests.training_job("run", namespace) | {"status": {"phase": "Running"}}
    yield await client.get(RUN, namespace, "run")
    stored = await client.create(wanted)
    yield stored["metadata"]["generation"], "status" in stored, stored["spec"]["model"]
    yield await client.get(RUN, namespace, "run") is not None
    yield changes(stored, await client.get(RUN, namespace, "run") or {})
    yield await refusal(client.create(wanted))
    yield [found["metadata"]["name"] async for found in client.list(RUN) if found["metadata"]["namespace"] == namespace]


async def create_again(client: KubeClient, namespace: str) -> AsyncIterator[Any]:
    """A recreated object has another uid, and a deletion with the earlier uid does not affect it."""
    first = await client.create(manifests.training_job("run", namespace))
    await client.delete(RUN, namespace, "run", uid=first["metadata"]["uid"])
    yield await client.get(RUN, namespace, "run")
    second = await client.create(manifests.training_job("run", namespace))
    yield changes(first, second)
    await client.delete(RUN, namespace, "run", uid=first["metadata"]["uid"])
    yield await client.get(RUN, namespace, "run") is not None
    await client.delete(RUN, namespace, "gone", uid=first["metadata"]["uid"])


async def status_writes(client: KubeClient, namespace: str) -> AsyncIterator[Any]:
    """A status write requires the resource version, not the uid, and does not change the generation."""
    run = await client.create(manifests.training_job("run", namespace))
    versioned = {name: run["metadata"][name] for name in ("uid", "resourceVersion")}
    first = status_of(run, phase="Pending", observedGeneration=1)
    first["metadata"] |= versioned
    stored = await client.apply(first, manager=STATUS_MANAGER, subresource="status")
    yield changes(run, stored), stored["status"], stored["spec"] == run["spec"]
    yield await refusal(client.apply(first, manager=STATUS_MANAGER, subresource="status"))
    stranger = status_of(run, phase="Running")
    stranger["metadata"]["uid"] = "00000000-0000-0000-0000-000000000000"
    yield await refusal(client.apply(stranger, manager=STATUS_MANAGER, subresource="status"))
    gone = status_of(manifests.training_job("gone", namespace), phase="Running")
    yield await refusal(client.apply(gone, manager=STATUS_MANAGER, subresource="status"))
    same = status_of(run, phase="Pending", observedGeneration=1)
    yield changes(stored, await client.apply(same, manager=STATUS_MANAGER, subresource="status"))


async def status_fields(client: KubeClient, namespace: str) -> AsyncIterator[Any]:
    """A status field that is no longer applied is removed, with its parent; that of another manager stays."""
    run = await client.create(manifests.training_job("run", namespace))
    reference = {"name": "run-1", "uid": "u1"}
    wide = status_of(run, phase="Running", jobRef=reference, startTime="2026-01-01T00:00:00Z")
    await client.apply(wide, manager=STATUS_MANAGER, subresource="status")
    await client.apply(status_of(run, startTime="2026-01-01T00:00:01Z"), manager="another", subresource="status")
    narrow = status_of(run, phase="Succeeded")
    yield (await client.apply(narrow, manager=STATUS_MANAGER, subresource="status"))["status"]
    empty = status_of(run)
    yield (await client.apply(empty, manager="another", subresource="status"))["status"]


async def status_lists(client: KubeClient, namespace: str) -> AsyncIterator[Any]:
    """A list in the status has the entries that were applied last."""
    run = await client.create(manifests.training_job("run", namespace))
    times = {"lastTransitionTime": "2026-01-01T00:00:00Z", "reason": "Because", "message": "", "observedGeneration": 1}
    both = [{"type": type_, "status": "False", **times} for type_ in ("Complete", "Failed")]
    for conditions in (both, both[:1], [{**both[0], "status": "True"}]):
        body = status_of(run, conditions=conditions)
        stored = await client.apply(body, manager=STATUS_MANAGER, subresource="status")
        yield stored["status"]["conditions"]


async def spec_and_status(client: KubeClient, namespace: str) -> AsyncIterator[Any]:
    """An apply of the object ignores the status, and increments the generation only if the spec changes."""
    run = await client.create(manifests.training_job("run", namespace))
    await client.apply(status_of(run, phase="Running"), manager=STATUS_MANAGER, subresource="status")
    before = await client.get(RUN, namespace, "run") or {}
    suspended = _head(run) | {"spec": {"suspend": True}, "status": {"phase": "Failed"}}
    after = await client.apply(suspended, manager="person")
    yield changes(before, after), after["status"], after["spec"]["suspend"]
    labelled = await client.apply(
        _head(run, labels={"perennate.dev/team": "a"}) | {"spec": {"suspend": True}}, manager="person"
    )
    yield changes(after, labelled), labelled["metadata"]["labels"]


async def field_owners(client: KubeClient, namespace: str) -> AsyncIterator[Any]:
    """A field is removed when its last owner no longer applies it. Fields of a POST belong to another manager."""

    def window(**annotations: str) -> Manifest:
        """A DriftWindow with these annotations."""
        metadata = {"name": "place", "namespace": namespace, **({"annotations": annotations} if annotations else {})}
        return {"apiVersion": DRIFT_WINDOW.api_version, "kind": DRIFT_WINDOW.kind, "metadata": metadata}

    await client.create(window(posted="1"))
    await client.apply(window(mine="1", both="1"), manager=FIELD_MANAGER)
    await client.apply(window(theirs="1", both="1"), manager="another")
    for applied in (window(mine="1"), window(), window(theirs="2")):
        yield (await client.apply(applied, manager=FIELD_MANAGER))["metadata"]["annotations"]
    stored = await client.apply(window(), manager="another")
    yield (
        stored["metadata"]["annotations"],
        changes(stored, await client.apply(window(), manager="another")),
    )


async def equal_applies(client: KubeClient, namespace: str) -> AsyncIterator[Any]:
    """An equal apply of the same manager creates no new version; one of a second manager does, once."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "svc", "namespace": namespace, "labels": {"perennate.dev/app": "a"}},
        "spec": {"selector": {"perennate.dev/app": "a"}, "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]},
    }
    first = await client.apply(service, manager=FIELD_MANAGER)
    yield "generation" in first["metadata"]
    for manager in (FIELD_MANAGER, "another", "another"):
        then = await client.apply(service, manager=manager)
        yield changes(first, then)
        first = then
    yield [found["metadata"]["name"] async for found in client.list(SERVICE, selector="app=a")]


async def preconditions(client: KubeClient, namespace: str) -> AsyncIterator[Any]:
    """An apply with a uid changes only that object, and creates none."""
    job = _job("job", namespace)
    absent = _head(job, uid="00000000-0000-0000-0000-000000000000") | {"spec": {"suspend": False}}
    yield await refusal(client.apply(absent, manager=FIELD_MANAGER))
    stored = await client.create(job)
    yield stored["metadata"]["generation"], stored["spec"]["suspend"]
    yield await refusal(client.apply(absent, manager=FIELD_MANAGER))
    named = _head(job, uid=stored["metadata"]["uid"]) | {"spec": {"suspend": False}}
    resumed = await client.apply(named, manager=FIELD_MANAGER)
    yield (
        changes(stored, resumed)[2],
        resumed["spec"]["suspend"],
        value_at(resumed, ("metadata", "labels", "perennate.dev/app")),
    )
    old = _head(job, resourceVersion=stored["metadata"]["resourceVersion"]) | {"spec": {"suspend": True}}
    yield await refusal(client.apply(old, manager=FIELD_MANAGER))
    found = await client.get(JOB, namespace, "job")
    yield found is not None and found["spec"]["suspend"]


async def deployments(client: KubeClient, namespace: str) -> AsyncIterator[Any]:
    """The generation of a Deployment changes with its spec and its annotations, but not with its labels."""
    labels = {"perennate.dev/app": "a"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "serve", "namespace": namespace},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
        },
    }
    before = await client.apply(deployment, manager="person")
    for metadata in ({"labels": {"perennate.dev/team": "a"}}, {"annotations": {"note": "b"}}):
        # The Deployment controller may write an annotation at any time. An equal apply shows its effect.
        after = await client.apply(_head(deployment, **metadata) | {"spec": deployment["spec"]}, manager="person")
        yield "annotations" in metadata, after["metadata"]["generation"] > before["metadata"]["generation"]
        before = after


async def replacements(client: KubeClient, namespace: str) -> AsyncIterator[Any]:
    """A PUT needs the version that it replaces. An equal PUT creates no new version."""
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "lease", "namespace": namespace},
        "spec": {"holderIdentity": "a"},
    }
    stored = await client.create(lease)
    taken = await client.replace({**stored, "spec": {"holderIdentity": "b"}})
    yield changes(stored, taken), taken["spec"]
    yield await refusal(client.replace({**stored, "spec": {"holderIdentity": "c"}}))
    yield changes(taken, await client.replace(taken))
    found = await client.get(LEASE, namespace, "lease")
    yield found is not None and found["spec"]


async def dependents(client: KubeClient, namespace: str) -> AsyncIterator[Any]:
    """Deleting an object deletes its dependents."""
    run = await client.create(manifests.training_job("run", namespace))
    reference = {
        "apiVersion": run["apiVersion"],
        "kind": run["kind"],
        "name": "run",
        "uid": run["metadata"]["uid"],
        "controller": True,
    }
    metadata = {"name": "place", "namespace": namespace, "ownerReferences": [reference]}
    await client.create({"apiVersion": DRIFT_WINDOW.api_version, "kind": DRIFT_WINDOW.kind, "metadata": metadata})
    await client.delete(RUN, namespace, "run", uid=run["metadata"]["uid"])
    yield await _is_deleted(client, namespace)


async def _is_deleted(client: KubeClient, namespace: str) -> bool:
    """Whether the garbage collector removes the DriftWindow within a minute."""
    for _ in range(600):
        if await client.get(DRIFT_WINDOW, namespace, "place") is None:
            return True
        await asyncio.sleep(0.1)
    return False


def _job(name: str, namespace: str) -> Manifest:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace, "labels": {"perennate.dev/app": "a"}},
        "spec": {
            "suspend": True,
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}},
        },
    }


CALLS: dict[str, Calls] = {
    calls.__name__: calls
    for calls in (
        create_and_read,
        create_again,
        status_writes,
        status_fields,
        status_lists,
        spec_and_status,
        field_owners,
        equal_applies,
        preconditions,
        deployments,
        replacements,
        dependents,
    )
}
