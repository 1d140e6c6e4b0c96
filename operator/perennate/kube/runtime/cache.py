"""What the operator knows of the cluster: the newest version that it saw of every watched object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from perennate.kube.runtime.resources import Key, Manifest, controller_of, key_of


class Source(Enum):
    """How we learned of an object."""

    WATCH = "watch"
    LIST = "list"
    ANSWER = "answer"
    """The answer to our own write: nobody has to look at the object because of it."""


@dataclass(frozen=True)
class Change:
    """What happened to an object: `old` None: it appeared; `new` None: it is gone."""

    old: Manifest | None
    new: Manifest | None
    source: Source

    @property
    def manifest(self) -> Manifest:
        """The newest that is known of it."""
        manifest = self.new if self.new is not None else self.old
        if manifest is None:
            raise ValueError("a change has an old or a new side; got neither")
        return manifest


class Cache:
    """Objects by key, and by the uid of their controller.

    The newer resourceVersion wins, so events may come late or twice.

    `on_change` is told of every change. Objects are handed out as they are: read them, never change them.
    """

    def __init__(self, on_change: Callable[[Change], None] = lambda _: None) -> None:
        self._on_change = on_change
        self._objects: dict[Key, Manifest] = {}
        self._places: dict[str, dict[str, set[Key]]] = defaultdict(lambda: defaultdict(set))
        self._owned: dict[str, set[Key]] = defaultdict(set)

    def put(self, manifest: Manifest, source: Source) -> bool:
        """Remember the object, unless this or a newer version of it is known. The answer tells whether it was new."""
        key = key_of(manifest)
        old = self._objects.get(key)
        if old is not None and _version(manifest) <= _version(old):
            return False
        manifest["metadata"].pop("managedFields", None)  # Half of an object's size, and nobody reads it.
        if old is not None and _uid(old) != _uid(manifest):
            # Deleted and created again under one name: two changes, for the old one's children are not the new one's.
            self._forget(key)
            self._on_change(Change(old, None, source))
            old = None
        elif old is not None:
            self._forget(key)
        self._objects[key] = manifest
        self._places[key.kind][key.namespace].add(key)
        owner = controller_of(manifest)
        if owner is not None:
            self._owned[owner["uid"]].add(key)
        self._on_change(Change(old, manifest, source))
        return True

    def drop(self, manifest: Manifest, source: Source) -> bool:
        """Forget a deleted object, unless a namesake that came after it is known.

        The answer tells whether it was known.
        """
        key = key_of(manifest)
        old = self._objects.get(key)
        if old is None or (_uid(old) != _uid(manifest) and _version(old) > _version(manifest)):
            return False
        self._forget(key)
        self._on_change(Change(old, None, source))
        return True

    def drop_absent(self, kind: str, seen: Iterable[Key], *, known_before: Iterable[Key]) -> list[Key]:
        """Forget the objects of a kind that a LIST no longer has: what vanished while a watch was down.

        `known_before` are the keys that were known when the LIST began: what appeared since cannot be in it.
        """
        vanished = sorted(key for key in set(known_before) - set(seen) if key.kind == kind and key in self._objects)
        for key in vanished:
            self.drop(self._objects[key], Source.LIST)
        return vanished

    def get(self, key: Key) -> Manifest | None:
        """The object, or None."""
        return self._objects.get(key)

    def keys(self, kind: str) -> list[Key]:
        """Keys of all objects of a kind."""
        return sorted(key for members in self._places[kind].values() for key in members)

    def objects(self, kind: str, namespace: str | None = None) -> Iterator[Manifest]:
        """All objects of a kind, or those of one namespace, in the order of their names."""
        keys = self.keys(kind) if namespace is None else sorted(self._places[kind].get(namespace, ()))
        return (self._objects[key] for key in keys)

    def owned_by(self, uid: str, kind: str) -> list[Manifest]:
        """Objects of a kind whose controller has this uid."""
        return [self._objects[key] for key in sorted(self._owned.get(uid, ())) if key.kind == kind]

    def _forget(self, key: Key) -> None:
        manifest = self._objects.pop(key)
        members = self._places[key.kind][key.namespace]
        members.discard(key)
        if not members:
            del self._places[key.kind][key.namespace]
        owner = controller_of(manifest)
        if owner is not None:
            siblings = self._owned[owner["uid"]]
            siblings.discard(key)
            if not siblings:
                del self._owned[owner["uid"]]


def _version(manifest: Manifest) -> int:
    """The resourceVersion as a number; versions of one resource can be compared so (KEP-5504)."""
    return int(manifest["metadata"]["resourceVersion"])


def _uid(manifest: Manifest) -> str:
    return str(manifest["metadata"]["uid"])
