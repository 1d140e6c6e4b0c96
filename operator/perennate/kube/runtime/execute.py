"""Executes plans: calls to the API server in the order create, apply, status, Events, delete.

Every call is idempotent, so that a pass can be repeated after a crash.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from perennate.api import wellknown
from perennate.api.meta import Manifest
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.claims import Claims
from perennate.kube.runtime.client import ApiError, KubeClient
from perennate.kube.runtime.compare import contains, is_current
from perennate.kube.runtime.events import EventEmitter
from perennate.kube.runtime.resources import CLAIM, Resources, controller_of, key_of
from perennate.reconcilers.plan import ObjectRef, Plan


class ExecutionResult(Enum):
    """The result of executing a plan."""

    DONE = "done"
    STALE = "stale"
    """The object changed since it was observed: the pass must be repeated at once."""
    GONE = "gone"
    """The object or its namespace was deleted."""


class NameTakenError(Exception):
    """Another owner's object has the name of a child. The next pass observes and reports it."""


class Executor:
    """Executes the plans of all kinds. Responses go into the cache, so that the next pass sees what this one wrote."""

    def __init__(
        self, client: KubeClient, cache: Cache, claims: Claims, events: EventEmitter, *, resources: Resources
    ) -> None:
        self._client: Final = client
        self._resources: Final = resources
        self._cache: Final = cache
        self._claims: Final = claims
        self._events: Final = events

    async def execute(self, manifest: Manifest, plan: Plan) -> ExecutionResult:
        """Execute the plan for an object; `manifest` is the object as the pass observed it.

        Raises:
            ApiError: a call failed; the pass must be retried.
            NameTakenError: another owner's object has the name of a child.
        """
        if plan.create or plan.delete:
            # These cannot be undone, so read the object live first: a decision about an old version is void.
            result = await self._confirm(manifest)
            if result is not ExecutionResult.DONE:
                return result
        try:
            for child in plan.create:
                await self._create(child, owner=manifest)
            for child in plan.apply:
                await self._apply(child)
            result = await self._write_status(manifest, plan)
        except ApiError as error:
            if error.namespace_terminating:
                return ExecutionResult.GONE
            raise
        if result is ExecutionResult.DONE:
            for reference in plan.delete:
                await self._delete(reference)
        return result

    async def _confirm(self, manifest: Manifest) -> ExecutionResult:
        """Read the object live and compare it with the observed one."""
        key = key_of(manifest)
        live = await self._client.get(self._resources.of(manifest), key.namespace, key.name)
        if live is None:
            self._cache.drop(manifest, Source.RESPONSE)
            return ExecutionResult.GONE
        if live["metadata"]["resourceVersion"] == manifest["metadata"]["resourceVersion"]:
            return ExecutionResult.DONE
        self._cache.put(live, Source.WATCH)
        return ExecutionResult.STALE

    async def _create(self, child: Manifest, *, owner: Manifest) -> None:
        metadata = child["metadata"]
        try:
            stored = await self._client.create(child)
        except ApiError as error:
            if not error.already_exists:
                raise
            found = await self._client.get(self._resources.of(child), metadata["namespace"], metadata["name"])
            if found is None:
                raise
            stored = found
        if child["kind"] == CLAIM.kind:
            self._claims.remember(metadata["namespace"], metadata["name"])
            return
        self._cache.put(stored, Source.RESPONSE)
        controller = controller_of(stored)
        if controller is None or controller["uid"] != owner["metadata"]["uid"]:
            raise NameTakenError(f"{key_of(stored)} exists and is not controlled by {key_of(owner)}")

    async def _apply(self, child: Manifest) -> None:
        live = self._cache.get(key_of(child))
        if live is not None and _is_up_to_date(live, child):
            return
        self._cache.put(await self._client.apply(child, manager=wellknown.FIELD_MANAGER), Source.RESPONSE)

    async def _write_status(self, manifest: Manifest, plan: Plan) -> ExecutionResult:
        """Write the status if it differs and the object is still the observed version; then emit the Events."""
        if plan.status is None or plan.status == manifest.get("status", {}):
            return ExecutionResult.DONE
        metadata = manifest["metadata"]
        identity = {name: metadata[name] for name in ("name", "namespace", "uid", "resourceVersion")}
        document = {
            "apiVersion": manifest["apiVersion"],
            "kind": manifest["kind"],
            "metadata": identity,
            "status": plan.status,
        }
        try:
            stored = await self._client.apply(document, manager=wellknown.STATUS_MANAGER, subresource="status")
        except ApiError as error:
            result = await self._confirm(manifest) if error.conflict or error.not_found else ExecutionResult.DONE
            if result is ExecutionResult.DONE:
                raise
            return result
        self._cache.put(stored, Source.RESPONSE)
        await self._events.emit(manifest, plan.events)
        return ExecutionResult.DONE

    async def _delete(self, reference: ObjectRef) -> None:
        resource = self._resources.of({"apiVersion": reference.api_version, "kind": reference.kind})
        await self._client.delete(resource, reference.namespace, reference.name, uid=reference.uid)


def _is_up_to_date(live: Manifest, child: Manifest) -> bool:
    """Whether nothing must be applied. A child of which we set only a few fields has no hash: these are compared."""
    if wellknown.ANNOTATION_APPLIED_HASH in child["metadata"].get("annotations", {}):
        return is_current(live, child)
    return contains(live, child)
