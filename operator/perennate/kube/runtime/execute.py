"""Plan -> calls, in the order create, apply, status, events, delete.

Whatever is repeated after a crash does nothing twice.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from perennate.api import wellknown
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.claims import Claims
from perennate.kube.runtime.client import ApiError, KubeClient
from perennate.kube.runtime.compare import contains, is_current
from perennate.kube.runtime.events import EventEmitter
from perennate.kube.runtime.resources import CLAIM, Manifest, Resources, controller_of, key_of
from perennate.reconcilers.plan import ObjectRef, Plan


class Outcome(Enum):
    """How carrying out a plan ended."""

    DONE = "done"
    STALE = "stale"
    """The object is no longer the one that was looked at: look again, at once."""
    GONE = "gone"
    """The object, or its namespace, is no more."""


class NameTakenError(Exception):
    """An object of another owner has the name of a child. The next pass sees it and says so."""


class Executor:
    """Carries out the plans of all kinds. Answers go into the cache, so that the next pass sees what this one wrote."""

    def __init__(
        self, client: KubeClient, cache: Cache, claims: Claims, events: EventEmitter, *, resources: Resources
    ) -> None:
        self._client: Final = client
        self._resources: Final = resources
        self._cache: Final = cache
        self._claims: Final = claims
        self._events: Final = events

    async def carry_out(self, manifest: Manifest, plan: Plan) -> Outcome:
        """Do what the plan for the object wants; `manifest` is the object as the pass looked at it.

        Raises:
            ApiError: a call failed; the pass has to be repeated.
            NameTakenError: a child's name belongs to another owner.
        """
        if plan.create or plan.delete:
            # These cannot be taken back, so the object is read live first: what was decided on an old version is void.
            outcome = await self._confirm(manifest)
            if outcome is not Outcome.DONE:
                return outcome
        try:
            for child in plan.create:
                await self._create(child, owner=manifest)
            for child in plan.apply:
                await self._apply(child)
            outcome = await self._write_status(manifest, plan)
        except ApiError as error:
            if error.namespace_terminating:
                return Outcome.GONE
            raise
        if outcome is Outcome.DONE:
            for reference in plan.delete:
                await self._delete(reference)
        return outcome

    async def _confirm(self, manifest: Manifest) -> Outcome:
        """Read the object live and compare it with the one that was looked at."""
        key = key_of(manifest)
        live = await self._client.get(self._resources.of(manifest), key.namespace, key.name)
        if live is None:
            self._cache.drop(manifest, Source.ANSWER)
            return Outcome.GONE
        if live["metadata"]["resourceVersion"] == manifest["metadata"]["resourceVersion"]:
            return Outcome.DONE
        self._cache.put(live, Source.WATCH)
        return Outcome.STALE

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
        self._cache.put(stored, Source.ANSWER)
        controller = controller_of(stored)
        if controller is None or controller["uid"] != owner["metadata"]["uid"]:
            raise NameTakenError(f"{key_of(stored)} exists and is not controlled by {key_of(owner)}")

    async def _apply(self, child: Manifest) -> None:
        live = self._cache.get(key_of(child))
        if live is not None and _is_as_wanted(live, child):
            return
        self._cache.put(await self._client.apply(child, manager=wellknown.FIELD_MANAGER), Source.ANSWER)

    async def _write_status(self, manifest: Manifest, plan: Plan) -> Outcome:
        """Write the status if it differs and the object is still the one that was looked at; then tell of it."""
        if plan.status is None or plan.status == manifest.get("status", {}):
            return Outcome.DONE
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
            outcome = await self._confirm(manifest) if error.conflict or error.not_found else Outcome.DONE
            if outcome is Outcome.DONE:
                raise
            return outcome
        self._cache.put(stored, Source.ANSWER)
        await self._events.emit(manifest, plan.events)
        return Outcome.DONE

    async def _delete(self, reference: ObjectRef) -> None:
        resource = self._resources.of({"apiVersion": reference.api_version, "kind": reference.kind})
        await self._client.delete(resource, reference.namespace, reference.name, uid=reference.uid)


def _is_as_wanted(live: Manifest, child: Manifest) -> bool:
    """A whole child is compared with its hash; one of which a few fields are set (a Job's `suspend`) by these."""
    if wellknown.ANNOTATION_APPLIED_HASH in child["metadata"].get("annotations", {}):
        return is_current(live, child)
    return contains(live, child)
