"""The fake API server of the unit tests answers like a real one in everything that the operator relies on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.bucket import TokenBucket
from perennate.kube.runtime.connection import connect
from perennate.kube.runtime.official import OfficialClient
from tests.support.cluster.kube_user import KubeUser
from tests.support.world.api_calls import CALLS, Calls
from tests.support.world.memory_client import ListRecorder, MemoryClient

if TYPE_CHECKING:
    from perennate.kube.runtime.client import KubeClient
    from tests.support.cluster.apiserver import InstalledPlane

pytestmark = pytest.mark.integration


async def answers(calls: Calls, client: KubeClient, namespace: str) -> list[Any]:
    """The list of everything that the calls yield."""
    async with asyncio.timeout(60):
        return [seen async for seen in calls(client, namespace)]


@pytest.mark.parametrize("calls", CALLS.values(), ids=CALLS)
async def test_the_fake_behaves_like_a_real_api_server(
    calls: Calls, quiet_plane: InstalledPlane, request: pytest.FixtureRequest
) -> None:
    namespace = KubeUser(quiet_plane.kubeconfig).ensure_namespace(request.node.callspec.id.replace("_", "-"))
    connection = await connect({"KUBECONFIG": str(quiet_plane.kubeconfig)})
    bucket = TokenBucket(rate=1000, burst=1000)
    async with OfficialClient(connection, resources=RESOURCES, writes=bucket, recorder=ListRecorder()) as client:
        real = await answers(calls, client, namespace)
    assert real
    assert await answers(calls, MemoryClient(), namespace) == real
