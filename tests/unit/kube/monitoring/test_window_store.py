"""Where windows lie between two operators: ours alone is read and written, and failures cost no more than a window."""

from __future__ import annotations

import copy
import logging
from typing import Any

import pytest

from perennate.builders.window import KEY
from perennate.kube.monitoring.window_store import WindowStore
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.resources import Key, Manifest, key_of
from tests.support.cluster import manifests
from tests.support.world.memory_client import Call, MemoryClient

PLACE = manifests.config_map("watch", "ns", uid="p")
NAME = PLACE["metadata"]["name"]


def verbs(client: MemoryClient) -> list[str]:
    """The verbs of the calls that were made since the last question."""
    made = [verb for verb, _, _ in client.calls]
    client.calls.clear()
    return made


def stored(client: MemoryClient, **changes: Any) -> Manifest:
    """A ConfigMap of the place's name, as somebody left it there."""
    found = copy.deepcopy(PLACE)
    metadata = {**found["metadata"], **changes.pop("metadata", {})}
    return client.store({**found, **changes, "metadata": metadata})


async def test_what_is_written_is_read_by_the_next_operator() -> None:
    """One POST, then one PATCH each; the next operator reads once and goes on with PATCHes."""
    client = MemoryClient()
    store = WindowStore(client)
    assert await store.read(PLACE) is None
    await store.write(PLACE, b"one")
    await store.write(PLACE, b"two")
    assert verbs(client) == ["get", "create", "apply"]
    following = WindowStore(client)
    assert await following.read(PLACE) == b"two"
    await following.write(PLACE, b"three")
    assert verbs(client) == ["get", "apply"]
    assert await WindowStore(client).read(PLACE) == b"three"


async def test_it_belongs_to_the_policy_and_is_found_by_its_labels() -> None:
    """The garbage collector takes it away with the policy; a namesake created later has another."""
    (owner,) = PLACE["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("DriftPolicy", "p", True)
    assert PLACE["metadata"]["labels"]["app.kubernetes.io/part-of"] == "perennate"
    assert PLACE["metadata"]["labels"]["perennate.dev/drift-policy"] == "watch"
    assert manifests.config_map("watch", "ns", uid="q")["metadata"]["name"] != NAME


async def test_a_creation_whose_answer_was_lost_is_written_over() -> None:
    """Killed after its POST, the operator finds its own object and writes the newer content."""
    client = MemoryClient()
    stored(client)
    await WindowStore(client).write(PLACE, b"new")
    assert verbs(client) == ["create", "get", "apply"]
    assert await WindowStore(client).read(PLACE) == b"new"


@pytest.mark.parametrize("owners", [[], [{"uid": "another", "controller": True}], [{"uid": "p"}]])
async def test_nobody_elses_object_is_read_or_written(owners: list[Manifest], caplog: pytest.LogCaptureFixture) -> None:
    """A ConfigMap that the policy does not control is left as it is, and that is said."""
    client = MemoryClient()
    before = stored(client, metadata={"ownerReferences": owners}, binaryData={KEY: "b25l"})
    store = WindowStore(client)
    with caplog.at_level(logging.WARNING):
        assert await store.read(PLACE) is None
        await store.write(PLACE, b"new")
    assert "is not controlled by its DriftPolicy" in caplog.text
    assert client.objects[key_of(PLACE)]["binaryData"] == before["binaryData"]


@pytest.mark.parametrize(
    "content", [{}, {"binaryData": None}, {"binaryData": {}}, {"binaryData": {KEY: "?"}}, {"data": {KEY: "text"}}]
)
async def test_an_object_without_content_is_nothing(content: Manifest, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody emptied it: a log line, and a new window, which is written into the same object."""
    client = MemoryClient()
    stored(client, **content)
    store = WindowStore(client)
    with caplog.at_level(logging.WARNING):
        assert await store.read(PLACE) is None
    assert f"binaryData.{KEY}" in caplog.text
    await store.write(PLACE, b"new")
    assert await WindowStore(client).read(PLACE) == b"new"


async def test_an_object_that_was_deleted_is_made_again() -> None:
    """The uid of the one that was known lets the API server refuse; the next write creates."""
    client = MemoryClient()
    store = WindowStore(client)
    await store.write(PLACE, b"one")
    del client.objects[Key("ConfigMap", "ns", NAME)]

    def gone(call: Call) -> None:
        """What the API server says to an apply with the uid of an object that is no more."""
        if call[0] == "apply":
            raise ApiError("uid mismatch", code=409, reason="Conflict")

    client.fault = gone
    with pytest.raises(ApiError):
        await store.write(PLACE, b"two")
    client.fault = lambda _: None
    await store.write(PLACE, b"two")
    assert await WindowStore(client).read(PLACE) == b"two"


async def test_only_a_refusal_counts_as_nothing() -> None:
    """A server that is away may hold a window: it is asked again. One that forbids to read never gives it."""
    client = MemoryClient()
    store = WindowStore(client)
    for code, fatal in ((0, True), (500, True), (401, True), (403, False)):

        def refuse(_: Call, code: int = code) -> None:
            """Fail with this code."""
            raise ApiError("no", code=code)

        client.fault = refuse
        if fatal:
            with pytest.raises(ApiError):
                await store.read(PLACE)
        else:
            assert await store.read(PLACE) is None
