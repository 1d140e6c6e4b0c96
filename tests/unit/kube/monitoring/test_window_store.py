"""The DriftWindow that holds a window across operator restarts: only one that the policy controls is used."""

from __future__ import annotations

import copy
import logging
from typing import Any

import pytest

from perennate.api.meta import Manifest
from perennate.builders.window import FIELD
from perennate.kube.monitoring.window_store import WindowStore
from perennate.kube.runtime.client import ApiError
from perennate.kube.runtime.resources import Key, key_of
from tests.support.cluster import manifests
from tests.support.world.memory_client import Call, MemoryClient

PLACE = manifests.window("watch", "ns", uid="p")
NAME = PLACE["metadata"]["name"]


def verbs(client: MemoryClient) -> list[str]:
    """The verbs of the calls since the last check."""
    made = [verb for verb, _, _ in client.calls]
    client.calls.clear()
    return made


def stored(client: MemoryClient, **changes: Any) -> Manifest:
    """Store a DriftWindow with the name of the policy's DriftWindow and the given changes."""
    found = copy.deepcopy(PLACE)
    metadata = {**found["metadata"], **changes.pop("metadata", {})}
    return client.store({**found, **changes, "metadata": metadata})


async def test_a_window_can_be_read_after_an_operator_restart() -> None:
    """The first write creates the DriftWindow, later writes apply it; after a restart it is read once, then applied."""
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


async def test_the_window_is_owned_by_the_policy_and_labelled() -> None:
    """Garbage collection deletes it with the policy; a later policy with the same name gets another DriftWindow."""
    (owner,) = PLACE["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("DriftPolicy", "p", True)
    assert PLACE["metadata"]["labels"]["app.kubernetes.io/part-of"] == "perennate"
    assert PLACE["metadata"]["labels"]["perennate.dev/drift-policy"] == "watch"
    assert manifests.window("watch", "ns", uid="q")["metadata"]["name"] != NAME


async def test_a_window_whose_creation_was_not_confirmed_is_applied() -> None:
    """If the operator is killed after its POST, the next one finds the object and applies the newer content."""
    client = MemoryClient()
    stored(client)
    await WindowStore(client).write(PLACE, b"new")
    assert verbs(client) == ["create", "get", "apply"]
    assert await WindowStore(client).read(PLACE) == b"new"


@pytest.mark.parametrize("owners", [[], [{"uid": "another", "controller": True}], [{"uid": "p"}]])
async def test_a_window_of_another_owner_is_neither_read_nor_written(
    owners: list[Manifest], caplog: pytest.LogCaptureFixture
) -> None:
    """A DriftWindow that the policy does not control is neither read nor changed, and a warning is logged."""
    client = MemoryClient()
    before = stored(client, metadata={"ownerReferences": owners}, data="b25l")
    store = WindowStore(client)
    with caplog.at_level(logging.WARNING):
        assert await store.read(PLACE) is None
        await store.write(PLACE, b"new")
    assert "is not controlled by its DriftPolicy" in caplog.text
    assert client.objects[key_of(PLACE)]["data"] == before["data"]


@pytest.mark.parametrize(
    "content", [{}, {"data": None}, {"data": ""}, {"data": "?"}, {"data": {"window.json.gz": "eA=="}}, {"data": "ä"}]
)
async def test_a_window_without_content_counts_as_empty(content: Manifest, caplog: pytest.LogCaptureFixture) -> None:
    """A DriftWindow without valid content is logged and treated as empty; the next write replaces the content."""
    client = MemoryClient()
    stored(client, **content)
    store = WindowStore(client)
    with caplog.at_level(logging.WARNING):
        assert await store.read(PLACE) is None
    assert f"{FIELD}: " in caplog.text
    await store.write(PLACE, b"new")
    assert await WindowStore(client).read(PLACE) == b"new"


async def test_a_deleted_window_is_created_again() -> None:
    """An apply contains the known uid, so that the API server rejects it; the next write creates the DriftWindow."""
    client = MemoryClient()
    store = WindowStore(client)
    await store.write(PLACE, b"one")
    del client.objects[Key("DriftWindow", "ns", NAME)]

    def gone(call: Call) -> None:
        """Reject an apply, as the API server does if the uid is that of a deleted object."""
        if call[0] == "apply":
            raise ApiError("uid mismatch", code=409, reason="Conflict")

    client.fault = gone
    with pytest.raises(ApiError):
        await store.write(PLACE, b"two")
    client.fault = lambda _: None
    await store.write(PLACE, b"two")
    assert await WindowStore(client).read(PLACE) == b"two"


async def test_only_a_forbidden_read_counts_as_absent() -> None:
    """If the server is unavailable, reading fails and is retried; if it forbids reading, there is no window."""
    client = MemoryClient()
    store = WindowStore(client)
    for code, fatal in ((0, True), (500, True), (401, True), (403, False)):

        def refuse(_: Call, code: int = code) -> None:
            """Fail with this status code."""
            raise ApiError("no", code=code)

        client.fault = refuse
        if fatal:
            with pytest.raises(ApiError):
                await store.read(PLACE)
        else:
            assert await store.read(PLACE) is None
