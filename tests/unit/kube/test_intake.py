"""What is kept of an object, how a namespace shares memory, and that large objects are not decoded."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
import yaml

from perennate.api.meta import Manifest
from perennate.api.wellknown import API_VERSION, LABEL_PART_OF, PART_OF
from perennate.kube.intake.budget import MEBIBYTE, MemoryBudget, cost_of
from perennate.kube.intake.feeding_response import feed_line, feed_page
from perennate.kube.intake.trimming import OVERSIZE, SIZE_LIMIT, SPEC_LIMIT, decode_any, trim
from perennate.kube.runtime.cache import Cache, Source
from perennate.kube.runtime.compare import is_current
from perennate.kube.runtime.resources import Key
from tests.support.cluster import manifests
from tests.support.tree import ROOT

GOLDEN = {
    f"{path.parent.name}/{document['kind']}": document
    for path in sorted((ROOT / "tests" / "golden").glob("*/out.yaml"))
    for document in yaml.safe_load_all(path.read_text())
}
APPLIED = {name: document for name, document in GOLDEN.items() if document["kind"] in {"Deployment", "Service"}}
MANAGED = [{"manager": "m", "fieldsV1": {f"f:{number}": {} for number in range(100)}}]


def owned(kind: str, version: str, name: str = "x", **more: Any) -> Manifest:
    """A child with our label and a controller."""
    owner = {"apiVersion": API_VERSION, "kind": "TrainingJob", "name": "t", "uid": "o", "controller": True}
    metadata = {
        "name": name,
        "namespace": "ns",
        "uid": "u",
        "resourceVersion": "1",
        "labels": {LABEL_PART_OF: PART_OF},
        "ownerReferences": [owner],
    }
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def run(name: str = "run", **metadata: Any) -> Manifest:
    """A TrainingJob as the API server stores it."""
    found = manifests.training_job(name, "ns")
    found["metadata"] |= {"uid": f"u-{name}", "resourceVersion": "1", "generation": 1, **metadata}
    return found


@pytest.mark.parametrize("manifest", APPLIED.values(), ids=APPLIED)
def test_a_trimmed_child_still_equals_what_is_applied(manifest: Manifest) -> None:
    """Otherwise every pass would apply it again."""
    stored = {**manifest, "metadata": {**manifest["metadata"], "managedFields": MANAGED, "uid": "u"}}
    assert is_current(trim(stored), manifest)


@pytest.mark.parametrize("manifest", GOLDEN.values(), ids=GOLDEN)
def test_trimming_twice_is_trimming_once(manifest: Manifest) -> None:
    """The second time it is not even encoded: an event would otherwise be decoded twice."""
    once = trim(manifest)
    assert trim(once) is once
    assert trim(dict(once)) == once


def test_what_nobody_reads_is_dropped() -> None:
    """Fields of the server, foreign labels and annotations, owners that are no controllers, the spec of a pod."""
    pod = owned("Pod", "v1", spec={"containers": [{"name": "c"}]}, status={"phase": "Running", "qosClass": "Burstable"})
    pod["metadata"] |= {"managedFields": MANAGED, "annotations": {"a": "b", "perennate.dev/x": "y"}}
    pod["metadata"]["labels"]["team"] = "x"
    pod["metadata"]["ownerReferences"].append({"kind": "Other", "name": "n", "uid": "z"})
    found = trim(pod)
    assert found.keys() == {"apiVersion", "kind", "metadata", "status"}
    assert found["status"] == {"phase": "Running"}
    assert found["metadata"]["labels"] == {LABEL_PART_OF: PART_OF}
    assert found["metadata"]["annotations"] == {"perennate.dev/x": "y"}
    assert len(found["metadata"]["ownerReferences"]) == 1
    assert "managedFields" not in found["metadata"]


LARGE: dict[str, tuple[Manifest, str]] = {
    "annotations": (run(annotations={"a": "x" * SIZE_LIMIT}), "metadata.annotations"),
    "managed fields": (run(managedFields=[{"fieldsV1": {"f": "x" * SIZE_LIMIT}}]), "metadata.managedFields"),
    "the spec": ({**run(), "spec": {"a": "x" * SIZE_LIMIT}}, "spec"),
    "many empty maps": ({**run(), "spec": {"a": [{}] * SIZE_LIMIT}}, "spec"),
}


@pytest.mark.parametrize(("manifest", "part"), LARGE.values(), ids=LARGE)
def test_a_large_resource_keeps_its_status_only(manifest: Manifest, part: str) -> None:
    """The reason names the part of it that is large."""
    found = trim({**manifest, "status": {"phase": "Pending"}})
    assert "spec" not in found
    assert found["status"] == {"phase": "Pending"}
    assert f"of it in {part}; at most 256 KiB" in found[OVERSIZE]
    assert trim(found) == found


def test_a_spec_of_many_small_lists_is_not_decoded() -> None:
    """It is below the limit of size, but would take twenty times as much memory, and time to decode."""
    found = trim({**run(), "spec": {"a": [[1]] * 20_000}})
    assert "spec" not in found
    assert found[OVERSIZE] == "spec has 20002 lists and maps; at most 16384 are reconciled"


def test_the_largest_honest_resource_is_kept_whole() -> None:
    """A thousand long column names, with the managed fields of several tools."""
    manifest = run(managedFields=MANAGED * 5)
    manifest["spec"]["data"]["features"] = [f"{number:04}" + "x" * 124 for number in range(1000)]
    assert trim(manifest)["spec"] == manifest["spec"]


def test_documents_of_the_operator_are_read_whole() -> None:
    """Only the operator writes them; the window of a policy may have a megabyte."""
    window = {**owned("DriftWindow", API_VERSION), "data": "x" * 1_000_000}
    assert decode_any(json.dumps(window).encode()) == window


def test_the_large_spec_of_a_child_is_dropped() -> None:
    env = [{"name": "A", "value": "x" * SPEC_LIMIT}]
    assert trim(owned("Deployment", "apps/v1", spec={"template": {"env": env}}))["spec"] == {}


def test_decoding_allocates_only_what_is_kept() -> None:
    """Text of one and a half megabytes would take more than a hundred as a whole."""
    content = json.dumps({**run(), "spec": {"a": [{}] * 400_000}}, separators=(",", ":")).encode()
    pod = json.dumps(owned("Pod", "v1", spec={"a": [{}] * 400_000}), separators=(",", ":")).encode()
    decode_any(pod)
    tracemalloc.start()
    decode_any(content)
    decode_any(pod)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MEBIBYTE


def test_kopf_gets_identities_only() -> None:
    """Events and items of lists are handed over; bookmarks, errors and other documents stay as they are."""
    taken: list[tuple[str, Manifest]] = []

    def feed(type_: str, manifest: Manifest) -> None:
        """Take an object."""
        taken.append((type_, manifest))

    line = feed_line(json.dumps({"type": "MODIFIED", "object": run()}).encode(), feed)
    page = feed_page(
        json.dumps(
            {
                "kind": "TrainingJobList",
                "apiVersion": API_VERSION,
                "metadata": {"resourceVersion": "7", "continue": "t"},
                "items": [run("a"), run("b")],
            }
        ).encode(),
        feed,
    )
    assert [(type_, found["metadata"]["name"]) for type_, found in taken] == [
        *[("MODIFIED", "run"), ("ADDED", "a"), ("ADDED", "b")]
    ]
    assert all("spec" in found for _, found in taken)
    identity = {"name": "run", "namespace": "ns", "uid": "u-run", "resourceVersion": "1"}
    assert json.loads(line)["object"] == {"apiVersion": API_VERSION, "kind": "TrainingJob", "metadata": identity}
    assert page["metadata"] == {"resourceVersion": "7", "continue": "t"}
    assert [item.keys() for item in page["items"]] == [{"apiVersion", "kind", "metadata"}] * 2
    for other in ({"type": "BOOKMARK", "object": {"kind": "Pod"}}, {"type": "ERROR", "object": {"code": 410}}):
        content = json.dumps(other).encode()
        assert feed_line(content, feed) == content
    discovery = {"kind": "APIResourceList", "apiVersion": "v1", "resources": [{"name": "pods"}]}
    assert feed_page(json.dumps(discovery).encode(), feed) == discovery
    assert len(taken) == 3


def test_a_namespace_gets_a_quarter_of_the_memory() -> None:
    budget = MemoryBudget(400)
    assert budget.limit("a") == 100
    budget.add("a", 100)
    assert budget.limit("b") == 100


def test_a_namespace_gets_an_equal_share_when_others_use_the_rest() -> None:
    budget = MemoryBudget(400)
    for name in "abcd":
        budget.add(name, 100)
    assert budget.limit("e") == 80
    budget.add("a", -100)
    assert budget.limit("e") == 100
    assert budget.used("a") == 0


def test_full_namespaces_lose_specs_and_others_do_not() -> None:
    """Objects of a full namespace keep their status. When others are deleted, the next list restores them."""
    room = cost_of(trim(run("n0"))) * 10
    cache = Cache(budget=MemoryBudget(room * 4))
    for number in range(40):
        cache.put(run(f"n{number}"), Source.WATCH)
    stored = [cache.get(Key("TrainingJob", "ns", f"n{number}")) for number in range(40)]
    whole = [found for found in stored if found is not None and OVERSIZE not in found]
    cut = [found for found in stored if found is not None and OVERSIZE in found]
    assert len(whole) >= 8
    assert cut
    assert sum(found is None for found in stored) > 0
    assert sum(map(cost_of, whole + cut)) <= 2 * room
    assert "its objects need more than" in cut[0][OVERSIZE]
    other = run("honest", namespace="other")
    cache.put(other, Source.WATCH)
    assert "spec" in (cache.get(Key("TrainingJob", "other", "honest")) or {})
    for found in whole:
        cache.drop(found, Source.WATCH)
    name = cut[0]["metadata"]["name"]
    assert cache.put(run(name), Source.LIST)
    assert "spec" in (cache.get(Key("TrainingJob", "ns", name)) or {})


def test_labelled_objects_of_nobody_are_not_stored() -> None:
    """Unless they have the name of a child and were read for it: then they are followed."""
    cache = Cache()
    foreign = owned("Service", "v1")
    del foreign["metadata"]["ownerReferences"]
    assert not cache.put(foreign, Source.WATCH)
    assert not cache.put(foreign, Source.LIST)
    assert cache.put(foreign, Source.RESPONSE)
    newer = {**foreign, "metadata": {**foreign["metadata"], "resourceVersion": "2"}}
    assert cache.put(newer, Source.WATCH)


def test_an_orphan_is_followed() -> None:
    """A child that loses its controller: its owner must learn of it."""
    cache = Cache()
    assert cache.put(owned("Service", "v1"), Source.WATCH)
    orphan = owned("Service", "v1")
    orphan["metadata"] |= {"resourceVersion": "2", "ownerReferences": []}
    assert cache.put(orphan, Source.WATCH)
    assert cache.owned_by("o", "Service") == []
