"""What the cache believes, whatever order events, lists and answers come in."""

from __future__ import annotations

from typing import Any

from perennate.kube.runtime.cache import Cache, Change, Source
from perennate.kube.runtime.resources import Key, Manifest

KEY = Key("Job", "ns", "run")


def make_job(version: int, *, uid: str = "u1", owner: str | None = None, **more: Any) -> Manifest:
    """A Job at a version."""
    references = [{"uid": owner, "kind": "TrainingJob", "name": "t", "controller": True}] if owner else []
    metadata = {"name": "run", "namespace": "ns", "uid": uid, "resourceVersion": str(version)}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata | ({"ownerReferences": references} if owner else {}),
        **more,
    }


def test_the_newer_version_wins_in_either_order() -> None:
    """An old event that comes late changes nothing: versions are compared as numbers, not as text."""
    cache = Cache()
    assert cache.put(make_job(10), Source.ANSWER)
    assert not cache.put(make_job(9), Source.WATCH)
    assert not cache.put(make_job(10), Source.WATCH)
    assert cache.put(make_job(100), Source.WATCH)
    assert cache.get(KEY) is not None


def test_a_child_is_found_by_its_controller_and_no_longer_when_that_changes() -> None:
    """Ownership goes by uid, and follows the object."""
    cache = Cache()
    cache.put(make_job(1, owner="o1"), Source.WATCH)
    assert [job["metadata"]["name"] for job in cache.owned_by("o1", "Job")] == ["run"]
    assert cache.owned_by("o1", "Pod") == []
    cache.put(make_job(2, owner="o2"), Source.WATCH)
    assert cache.owned_by("o1", "Job") == []
    assert len(cache.owned_by("o2", "Job")) == 1


def test_a_namesake_is_another_object() -> None:
    """Deleted and created again under one name: the old one goes, then the new one comes."""
    changes: list[Change] = []
    cache = Cache(changes.append)
    cache.put(make_job(1), Source.WATCH)
    cache.put(make_job(5, uid="u2"), Source.WATCH)
    sides = [(change.old is not None, change.new is not None) for change in changes]
    assert sides == [(False, True), (True, False), (False, True)]


def test_a_late_deletion_does_not_take_the_namesake() -> None:
    """The event of the old object's deletion may come after the new one is known."""
    cache = Cache()
    cache.put(make_job(8, uid="u2"), Source.LIST)
    assert not cache.drop(make_job(5, uid="u1"), Source.WATCH)
    assert cache.get(KEY) is not None
    assert cache.drop(make_job(9, uid="u2"), Source.WATCH)
    assert cache.get(KEY) is None


def test_what_a_list_no_longer_has_is_dropped_but_not_what_came_since() -> None:
    """A watch that was down does not tell of deletions; and a LIST does not know the future."""
    cache = Cache()
    cache.put(make_job(1), Source.WATCH)
    before = cache.keys("Job")
    cache.put({**make_job(7), "metadata": {**make_job(7)["metadata"], "name": "new"}}, Source.WATCH)
    assert cache.drop_absent("Job", [], known_before=before) == [KEY]
    assert [key.name for key in cache.keys("Job")] == ["new"]


def test_managed_fields_are_not_kept() -> None:
    """They are half of an object's size and nobody reads them."""
    cache = Cache()
    job = make_job(1)
    job["metadata"]["managedFields"] = [{"manager": "x"}]
    cache.put(job, Source.WATCH)
    kept = cache.get(KEY)
    assert kept is not None
    assert "managedFields" not in kept["metadata"]


def test_objects_of_a_namespace_come_in_the_order_of_their_names() -> None:
    """Decisions must not depend on the order of arrival."""
    cache = Cache()
    for name in ("c", "a", "b"):
        job = make_job(1)
        job["metadata"]["name"] = name
        cache.put(job, Source.WATCH)
    assert [job["metadata"]["name"] for job in cache.objects("Job", "ns")] == ["a", "b", "c"]
    assert list(cache.objects("Job", "elsewhere")) == []
