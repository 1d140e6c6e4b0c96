"""The cache: the newest version of every watched object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from perennate.api.meta import Manifest
from perennate.kube.runtime.resources import Key, controller_of, key_of


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


class Cache:
    """Objects by key, and by the uid of their controller.

    The newer resourceVersion wins, so late and duplicate events do no harm. `on_change` is called with every change.
    Objects are returned without a copy: callers must not change them.
    """

    def __init__(self, on_change: Callable[[Change], None] = lambda _: None) -> None:
        self._on_change = on_change
        self._objects: dict[Key, Manifest] = {}
        self._keys: dict[str, dict[str, set[Key]]] = defaultdict(lambda: defaultdict(set))
        self._owned: dict[str, set[Key]] = defaultdict(set)

    def put(self, manifest: Manifest, source: Source) -> bool:
        """Store the object, unless this or a newer version of it is known. Returns whether it was stored."""
        key = key_of(manifest)
        old = self._objects.get(key)
        if old is not None and _version(manifest) <= _version(old):
            return False
        manifest["metadata"].pop("managedFields", None)  # Half of the size of an object, and not used.
        if old is not None and _uid(old) != _uid(manifest):
            # Deleted and created again under one name: two changes, as the new object has other children.
            self._remove(key)
            self._on_change(Change(old, None, source))
            old = None
        elif old is not None:
            self._remove(key)
        self._objects[key] = manifest
        self._keys[key.kind][key.namespace].add(key)
        owner = controller_of(manifest)
        if owner is not None:
            self._owned[owner["uid"]].add(key)
        self._on_change(Change(old, manifest, source))
        return True

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

    def _remove(self, key: Key) -> None:
        manifest = self._objects.pop(key)
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


def _uid(manifest: Manifest) -> str:
    return str(manifest["metadata"]["uid"])
