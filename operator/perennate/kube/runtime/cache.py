"""The cache: the newest version of every watched object, trimmed, within a budget of memory for each namespace."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from perennate.api import wellknown
from perennate.api.meta import Manifest
from perennate.kube.intake.budget import MEBIBYTE, MemoryBudget, cost_of
from perennate.kube.intake.trimming import OVERSIZE, trim, without_spec
from perennate.kube.runtime.resources import Key, controller_of, key_of

_logger = logging.getLogger(__name__)


class Source(Enum):
    """Where a version of an object came from."""

    WATCH = "watch"
    LIST = "list"
    RESPONSE = "response"
    """The response to our own call: children that we wrote do not enqueue their owner."""


@dataclass(frozen=True)
class Change:
    """A change of an object: `old` is None if it is new, `new` is None if it was deleted."""

    old: Manifest | None
    new: Manifest | None
    source: Source

    @property
    def manifest(self) -> Manifest:
        """The newest version."""
        manifest = self.new if self.new is not None else self.old
        if manifest is None:
            raise ValueError("a change must have an old or a new version; got neither")
        return manifest


@dataclass(frozen=True)
class _Fitting:
    """What is stored of an object, its bytes, and where they are counted."""

    manifest: Manifest
    cost: int
    budget: MemoryBudget


class Cache:
    """Objects by key, and by the uid of their controller.

    The newer resourceVersion wins, so late and duplicate events do no harm. `on_change` is called with every change.
    Objects are returned without a copy: callers must not change them.

    Objects are stored as `trimming` keeps them. When a namespace has used its memory, further objects lose their specs.
    When these have used as much again, further ones are not stored. An object with our label but without a controller
    is not ours: it is stored only after somebody has asked for its name.
    """

    def __init__(
        self, on_change: Callable[[Change], None] = lambda _: None, *, budget: MemoryBudget | None = None
    ) -> None:
        self._on_change = on_change
        self._budget: Final = budget or MemoryBudget()
        self._budget_of_cut: Final = MemoryBudget(self._budget.total)
        self._objects: dict[Key, Manifest] = {}
        self._stored: dict[Key, _Fitting] = {}
        self._keys: dict[str, dict[str, set[Key]]] = defaultdict(lambda: defaultdict(set))
        self._owned: dict[str, set[Key]] = defaultdict(set)
        self._full: set[str] = set()

    def put(self, manifest: Manifest, source: Source) -> bool:
        """Store the object, unless this or a newer version of it is known. Returns whether it was stored."""
        key = key_of(manifest)
        old = self._objects.get(key)
        if old is not None and _version(manifest) <= _version(old) and not self._may_be_restored(key, manifest):
            return False
        if old is None and source is not Source.RESPONSE and _is_foreign(manifest):
            return False
        fitting = self._fitting(key, trim(manifest), source)
        if fitting is None or fitting.manifest == old:
            return False
        if old is not None and _uid(old) != _uid(manifest):
            # Deleted and created again under one name: two changes, as the new object has other children.
            self._remove(key)
            self._on_change(Change(old, None, source))
            old = None
        elif old is not None:
            self._remove(key)
        self._add(key, fitting)
        self._on_change(Change(old, fitting.manifest, source))
        return True

    def _may_be_restored(self, key: Key, manifest: Manifest) -> bool:
        """Whether this version is stored without its spec, which may fit by now."""
        known = self._objects[key]
        return OVERSIZE in known and OVERSIZE not in manifest and _version(manifest) == _version(known)

    def _fitting(self, key: Key, manifest: Manifest, source: Source) -> _Fitting | None:
        """The object if it fits into the memory of its namespace, else without its spec; None if not even that fits."""
        whole = _Fitting(manifest, cost_of(manifest), self._budget)
        limit = self._budget.limit(key.namespace)
        if self._has_room(key, whole):
            if self._budget.used(key.namespace) < limit // 2:
                self._full.discard(key.namespace)
            return whole
        why = _why_full(limit)
        if key.namespace not in self._full:
            self._full.add(key.namespace)
            _logger.warning("Namespace %s: %s", key.namespace, why)
        rest = without_spec(manifest, why)
        cut = _Fitting(rest, cost_of(rest), self._budget_of_cut)
        asked_for = key in self._objects or source is Source.RESPONSE
        return cut if asked_for or self._has_room(key, cut) else None

    def _has_room(self, key: Key, wanted: _Fitting) -> bool:
        budget, used = wanted.budget, wanted.budget.used(key.namespace)
        known = self._stored.get(key)
        used -= known.cost if known is not None and known.budget is budget else 0
        return used + wanted.cost <= budget.limit(key.namespace)

    def drop(self, manifest: Manifest, source: Source) -> bool:
        """Remove a deleted object, unless a newer object of its name is known. Returns whether it was removed."""
        key = key_of(manifest)
        old = self._objects.get(key)
        if old is None or (_uid(old) != _uid(manifest) and _version(old) > _version(manifest)):
            return False
        self._remove(key)
        self._on_change(Change(old, None, source))
        return True

    def drop_absent(self, kind: str, seen: Iterable[Key], *, known_before: Iterable[Key]) -> list[Key]:
        """Remove the objects of a kind that a LIST does not contain; return their keys.

        `known_before` are the keys that were known when the LIST began: newer objects may not be in it.
        """
        deleted = sorted(key for key in set(known_before) - set(seen) if key.kind == kind and key in self._objects)
        for key in deleted:
            self.drop(self._objects[key], Source.LIST)
        return deleted

    def get(self, key: Key) -> Manifest | None:
        """The object, or None."""
        return self._objects.get(key)

    def keys(self, kind: str) -> list[Key]:
        """Keys of all objects of a kind."""
        return sorted(key for members in self._keys[kind].values() for key in members)

    def objects(self, kind: str, namespace: str | None = None) -> Iterator[Manifest]:
        """All objects of a kind, or those of one namespace, sorted by name."""
        keys = self.keys(kind) if namespace is None else sorted(self._keys[kind].get(namespace, ()))
        return (self._objects[key] for key in keys)

    def owned_by(self, uid: str, kind: str) -> list[Manifest]:
        """Objects of a kind whose controller has this uid."""
        return [self._objects[key] for key in sorted(self._owned.get(uid, ())) if key.kind == kind]

    def _add(self, key: Key, fitting: _Fitting) -> None:
        manifest = fitting.manifest
        self._objects[key] = manifest
        self._stored[key] = fitting
        fitting.budget.add(key.namespace, fitting.cost)
        self._keys[key.kind][key.namespace].add(key)
        owner = controller_of(manifest)
        if owner is not None:
            self._owned[owner["uid"]].add(key)

    def _remove(self, key: Key) -> None:
        manifest = self._objects.pop(key)
        stored = self._stored.pop(key)
        stored.budget.add(key.namespace, -stored.cost)
        members = self._keys[key.kind][key.namespace]
        members.discard(key)
        if not members:
            del self._keys[key.kind][key.namespace]
        owner = controller_of(manifest)
        if owner is not None:
            siblings = self._owned[owner["uid"]]
            siblings.discard(key)
            if not siblings:
                del self._owned[owner["uid"]]


def _version(manifest: Manifest) -> int:
    """The resourceVersion as a number; versions of one resource are comparable (KEP-5504)."""
    return int(manifest["metadata"]["resourceVersion"])


def _is_foreign(manifest: Manifest) -> bool:
    """Whether the object is neither a custom resource of ours nor a child of anything."""
    return manifest["apiVersion"] != wellknown.API_VERSION and controller_of(manifest) is None


def _why_full(limit: int) -> str:
    return (
        f"its objects need more than {limit / MEBIBYTE:.0f} MiB of the operator's memory, so that further ones are not "
        "reconciled: delete objects that are finished or unused, or make their specs smaller"
    )


def _uid(manifest: Manifest) -> str:
    return str(manifest["metadata"]["uid"])
