"""The cache converges to the newest state, in whatever order events, lists and responses arrive."""

from __future__ import annotations

from typing import Any

from perennate.api.meta import Manifest
from perennate.kube.runtime.cache import Cache, Change, Source
from perennate.kube.runtime.resources import Key

KEY = Key("Job", "ns", "run")


def make_job(version: int, *, uid: str = "u1", owner: str | None = "o0", **more: Any) -> Manifest:
    """A Job with this resource version."""
    references = [{"uid": owner, "kind": "TrainingJob", "name": "t", "controller": True}] if owner else []
    metadata = {"name": "run", "namespace": "ns", "uid": uid, "resourceVersion": str(version)}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata | ({"ownerReferences": references} if owner else {}),
        **more,
    }


def test_the_newer_version_wins_in_any_order() -> None:
    """A late event of an older version is ignored; versions are compared as numbers, not as text."""
    cache = Cache()
    assert cache.put(make_job(10), Source.RESPONSE)
    assert not cache.put(make_job(9), Source.WATCH)
    assert not cache.put(make_job(10), Source.WATCH)
    assert cache.put(make_job(100), Source.WATCH)
    assert cache.get(KEY) is not None


def test_a_child_is_found_by_its_current_controller_only() -> None:
    """The owner index uses uids and is updated with the object."""
    cache = Cache()
    cache.put(make_job(1, owner="o1"), Source.WATCH)
    assert [job["metadata"]["name"] for job in cache.owned_by("o1", "Job")] == ["run"]
    assert cache.owned_by("o1", "Pod") == []
    cache.put(make_job(2, owner="o2"), Source.WATCH)
    assert cache.owned_by("o1", "Job") == []
    assert len(cache.owned_by("o2", "Job")) == 1


def test_a_recreated_object_is_another_object() -> None:
    """A deleted and recreated object is reported as the removal of the old one, then the addition of the new one."""
    changes: list[Change] = []
    cache = Cache(changes.append)
    cache.put(make_job(1), Source.WATCH)
    cache.put(make_job(5, uid="u2"), Source.WATCH)
    sides = [(change.old is not None, change.new is not None) for change in changes]
    assert sides == [(False, True), (True, False), (False, True)]


def test_a_late_deletion_does_not_drop_a_recreated_object() -> None:
    """The deletion event of the old object may arrive after the new object with the same name."""
    cache = Cache()
    cache.put(make_job(8, uid="u2"), Source.LIST)
    assert not cache.drop(make_job(5, uid="u1"), Source.WATCH)
    assert cache.get(KEY) is not None
    assert cache.drop(make_job(9, uid="u2"), Source.WATCH)
    assert cache.get(KEY) is None


def test_objects_missing_from_a_list_are_dropped_unless_they_are_newer() -> None:
    """Objects missing from a LIST were deleted while the watch was down, unless they were added after it began."""
    cache = Cache()
    cache.put(make_job(1), Source.WATCH)
    before = cache.keys("Job")
    cache.put({**make_job(7), "metadata": {**make_job(7)["metadata"], "name": "new"}}, Source.WATCH)
    assert cache.drop_absent("Job", [], known_before=before) == [KEY]
    assert [key.name for key in cache.keys("Job")] == ["new"]


def test_managed_fields_are_not_cached() -> None:
    """`managedFields` take half of an object's size and are never read."""
    cache = Cache()
    job = make_job(1)
    job["metadata"]["managedFields"] = [{"manager": "x"}]
    cache.put(job, Source.WATCH)
    kept = cache.get(KEY)
    assert kept is not None
    assert "managedFields" not in kept["metadata"]


def test_objects_of_a_namespace_are_sorted_by_name() -> None:
    """Objects are sorted by name, so that decisions do not depend on the order of arrival."""
    cache = Cache()
    for name in ("c", "a", "b"):
        job = make_job(1)
        job["metadata"]["name"] = name
        cache.put(job, Source.WATCH)
    assert [job["metadata"]["name"] for job in cache.objects("Job", "ns")] == ["a", "b", "c"]
    assert list(cache.objects("Job", "elsewhere")) == []
