"""A fake API server: objects in a dictionary, with the rules that the operator relies on.

`tests/integration/test_api_contract.py` makes the same calls to it and to a real API server and compares the answers.
It validates and defaults nothing, deletes at once, and knows no namespaces.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable

from perennate.api.meta import Manifest
from perennate.api.wellknown import STATUS_MANAGER
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.resources import Key, controller_of, key_of
from tests.support.world.field_ownership import Path, fields_of, merge, remove, value_at

WITH_GENERATION = frozenset({*RESOURCES.primary, "DriftWindow", "Job", "Deployment"})
"""Kinds whose generation counts the changes of the spec."""
WITH_STATUS = frozenset({*RESOURCES.primary, "Job", "Deployment", "Service", "Pod", "PersistentVolumeClaim"})
"""Kinds with a status subresource: a write of the object does not change the status."""
SERVER_FIELDS = frozenset({"uid", "resourceVersion", "generation", "creationTimestamp"})
IDENTITY = frozenset({"apiVersion", "kind", "metadata"})

Manager = tuple[str, str, str]
"""A field manager, its operation (Apply or Update) and the subresource that it writes."""


class FakeApiServer:
    """Objects, their versions, and who owns which field.

    Attributes:
        objects: every object by its key. A test may change one in place, which is no write.
        changes: how often an object was created, changed or deleted.
        time: gives the creation timestamp of new objects.
    """

    def __init__(self) -> None:
        self.objects: dict[Key, Manifest] = {}
        self.changes = 0
        self.time: Callable[[], str] = lambda: "2026-01-01T00:00:00Z"
        self._owned: dict[Key, dict[Manager, frozenset[Path]]] = {}
        self._numbers = itertools.count(1)

    def put(self, manifest: Manifest) -> Manifest:
        """Store an object with status and uid, as users and controllers would. Returns the stored object.

        A new object of our kinds has the status that the operator applied. The fields of a stored object that change
        lose their field managers.
        """
        key = key_of(manifest)
        found = self.objects.get(key)
        wanted = copy.deepcopy(manifest)
        given = wanted["metadata"]
        if found is None or given.get("uid", found["metadata"]["uid"]) != found["metadata"]["uid"]:
            number = next(self._numbers)
            wanted["metadata"] = {"uid": f"uid-{number}", "creationTimestamp": self.time(), **given}
            status = {("status", *path) for path in fields_of(wanted.get("status", {}))}
            self._owned[key] = (
                {(STATUS_MANAGER, "Apply", "status"): frozenset(status)} if key.kind in RESOURCES.primary else {}
            )
            return self._store(key, wanted)
        stored = found["metadata"]
        wanted["metadata"] = {**given, **{field: stored[field] for field in SERVER_FIELDS if field in stored}}
        if given.get("generation", stored.get("generation")) != stored.get("generation"):
            wanted["metadata"]["generation"] = given["generation"]
        elif _is_new_generation(found, wanted):
            wanted["metadata"]["generation"] = stored.get("generation", 1) + 1
        if wanted == found:
            return copy.deepcopy(found)
        self._disown(key, wanted, but=None)
        return self._store(key, wanted)

    def get(self, key: Key) -> Manifest | None:
        """A copy of an object, or None."""
        return copy.deepcopy(self.objects.get(key))

    def create(self, manifest: Manifest, *, manager: str) -> Manifest:
        """POST. A name that exists is rejected, and the status is ignored."""
        key = key_of(manifest)
        if key in self.objects:
            raise ApiError(f"{key} already exists", code=409, reason="AlreadyExists")
        return self._insert(key, manifest, (manager, "Update", ""))

    def apply(self, manifest: Manifest, *, manager: str, subresource: str = "") -> Manifest:
        """Server-side apply, conflicts forced.

        The resourceVersion is a precondition, and so is the uid, except for a status. A field that the manager applied
        before and leaves out now is removed, unless another manager owns it too.
        """
        key = key_of(manifest)
        who = (manager, "Apply", subresource)
        found = self.objects.get(key)
        if found is None:
            return self._apply_new(key, manifest, who)
        given = found["metadata"] | manifest["metadata"]
        if given["resourceVersion"] != found["metadata"]["resourceVersion"]:
            raise ApiError(f"{key}: the object has been modified", code=409, reason="Conflict")
        if given["uid"] != found["metadata"]["uid"] and not subresource:
            raise ApiError(f"{key}: metadata.uid is immutable", code=422, reason="Invalid")
        applied = _applied_part(key, manifest, subresource)
        owned = self._owned.setdefault(key, {})
        before = owned.get(who, frozenset())
        others = frozenset().union(*(fields for other, fields in owned.items() if other != who))
        wanted = merge(found, applied)
        remove(wanted, before - fields_of(applied) - others)
        if _is_new_generation(found, wanted):
            wanted["metadata"]["generation"] = found["metadata"]["generation"] + 1
        if wanted == found and before == fields_of(applied):
            return copy.deepcopy(found)
        owned[who] = fields_of(applied)
        self._disown(key, wanted, but=who)
        return self._store(key, wanted)

    def replace(self, manifest: Manifest, *, manager: str) -> Manifest:
        """PUT. The resource version must be the current one, and the status is ignored."""
        key = key_of(manifest)
        found = self.objects.get(key)
        if found is None:
            raise ApiError(f"{key} not found", code=404, reason="NotFound")
        if found["metadata"]["resourceVersion"] != manifest["metadata"]["resourceVersion"]:
            raise ApiError(f"{key}: the object has been modified", code=409, reason="Conflict")
        wanted = copy.deepcopy(manifest)
        if _splits(key):
            wanted |= {"status": found["status"]} if "status" in found else {}
        wanted["metadata"] |= {field: found["metadata"][field] for field in SERVER_FIELDS if field in found["metadata"]}
        if wanted == found:
            return copy.deepcopy(found)
        self._disown(key, wanted, but=None)
        self._owned[key][manager, "Update", ""] = fields_of(_applied_part(key, wanted, ""))
        return self._store(key, wanted)

    def delete(self, key: Key, *, uid: str | None = None) -> None:
        """Delete an object and its dependents. Does nothing if it is gone or has another uid."""
        found = self.objects.get(key)
        if found is None or uid not in (None, found["metadata"]["uid"]):
            return
        del self.objects[key]
        self._owned.pop(key, None)
        self.changes += 1
        for child in [name for name, other in self.objects.items() if _controlled_by(other, found)]:
            self.delete(child)

    def _apply_new(self, key: Key, manifest: Manifest, manager: Manager) -> Manifest:
        if manager[2]:
            raise ApiError(f"{key} not found", code=404, reason="NotFound")
        if "uid" in manifest["metadata"]:
            raise ApiError(f"{key}: no object has this uid", code=409, reason="Conflict")
        return self._insert(key, manifest, manager)

    def _insert(self, key: Key, manifest: Manifest, manager: Manager) -> Manifest:
        created = copy.deepcopy(
            {name: value for name, value in manifest.items() if name != "status" or not _splits(key)}
        )
        metadata = {name: value for name, value in created["metadata"].items() if name not in SERVER_FIELDS}
        metadata |= {"uid": f"uid-{next(self._numbers)}", "creationTimestamp": self.time()}
        if key.kind in WITH_GENERATION:
            metadata["generation"] = 1
        self._owned[key] = {manager: fields_of(_applied_part(key, manifest, ""))}
        return self._store(key, {**created, "metadata": metadata})

    def _store(self, key: Key, manifest: Manifest) -> Manifest:
        manifest["metadata"]["resourceVersion"] = str(next(self._numbers))
        self.objects[key] = manifest
        self.changes += 1
        return copy.deepcopy(manifest)

    def _disown(self, key: Key, wanted: Manifest, *, but: Manager | None) -> None:
        """Remove the fields whose values change from all other managers."""
        found = self.objects[key]
        owned = self._owned.setdefault(key, {})
        for manager in owned.keys() - {but}:
            owned[manager] = frozenset(
                path for path in owned[manager] if value_at(found, path) == value_at(wanted, path)
            )


def _splits(key: Key) -> bool:
    return key.kind in WITH_STATUS


def _applied_part(key: Key, manifest: Manifest, subresource: str) -> Manifest:
    """The fields of a manifest that a write may set: only the status, or all but the status and server fields."""
    if subresource == "status":
        return {"status": manifest.get("status", {})}
    part = {name: value for name, value in manifest.items() if name not in IDENTITY}
    if _splits(key):
        part.pop("status", None)
    metadata = {
        name: value
        for name, value in manifest["metadata"].items()
        if name not in SERVER_FIELDS and name not in {"name", "namespace"}
    }
    return part | ({"metadata": metadata} if metadata else {})


def _is_new_generation(found: Manifest, wanted: Manifest) -> bool:
    """Whether a write increments the generation: of the spec, and for a Deployment also of annotations."""
    if found["kind"] not in WITH_GENERATION or "generation" not in found["metadata"]:
        return False
    annotations = [document["metadata"].get("annotations") for document in (found, wanted)]
    moved = found["kind"] == "Deployment" and annotations[0] != annotations[1]
    return moved or found.get("spec") != wanted.get("spec")


def _controlled_by(manifest: Manifest, owner: Manifest) -> bool:
    controller = controller_of(manifest)
    return controller is not None and controller["uid"] == owner["metadata"]["uid"]
