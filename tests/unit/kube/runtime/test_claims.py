"""Lookups of PersistentVolumeClaims, which are cached and not watched."""

from __future__ import annotations

import asyncio

from perennate.kube.runtime.claims import CACHE_SECONDS, Claims
from tests.support.world.memory_client import MemoryClient

CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"namespace": "ns", "name": "store"},
}


def test_a_claim_is_cached_unless_a_fresh_read_is_requested() -> None:
    """Before a Job is created, a fresh read detects a claim that was deleted with its namespace."""
    client, now = MemoryClient(), [0.0]
    claims = Claims(client, clock=lambda: now[0])
    client.store(CLAIM)
    assert asyncio.run(claims.exists("ns", "store"))
    client.objects.clear()
    assert asyncio.run(claims.exists("ns", "store"))
    assert not asyncio.run(claims.exists("ns", "store", fresh=True))
    assert not asyncio.run(claims.exists("ns", "store"))


def test_a_cached_claim_expires() -> None:
    """A cached claim expires after a minute and is read again."""
    client, now = MemoryClient(), [0.0]
    claims = Claims(client, clock=lambda: now[0])
    client.store(CLAIM)
    assert asyncio.run(claims.exists("ns", "store"))
    client.objects.clear()
    now[0] = CACHE_SECONDS
    assert not asyncio.run(claims.exists("ns", "store"))
