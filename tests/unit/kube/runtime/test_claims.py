"""What is known of claims without watching them."""

from __future__ import annotations

import asyncio

from perennate.kube.runtime.claims import REMEMBERED_SECONDS, Claims
from tests.support.world.memory_client import MemoryClient

CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"namespace": "ns", "name": "store"},
}


def test_a_claim_is_remembered_for_a_minute_unless_asked_afresh() -> None:
    """A namespace that was made again has lost its claim: who is about to create a Job must see that."""
    client, now = MemoryClient(), [0.0]
    claims = Claims(client, clock=lambda: now[0])
    client.store(CLAIM)
    assert asyncio.run(claims.exists("ns", "store"))
    client.objects.clear()
    assert asyncio.run(claims.exists("ns", "store"))
    assert not asyncio.run(claims.exists("ns", "store", fresh=True))
    assert not asyncio.run(claims.exists("ns", "store"))


def test_a_memory_of_a_claim_fades() -> None:
    """After a minute the claim is read again."""
    client, now = MemoryClient(), [0.0]
    claims = Claims(client, clock=lambda: now[0])
    client.store(CLAIM)
    assert asyncio.run(claims.exists("ns", "store"))
    client.objects.clear()
    now[0] = REMEMBERED_SECONDS
    assert not asyncio.run(claims.exists("ns", "store"))
