"""Pacing of requests in the event loop."""

from __future__ import annotations

import asyncio

import pytest

from perennate.serving.lanes import WaitingQueue, client_is_gone
from perennate.serving.port.pacing import REQUESTS, Pacing
from perennate.serving.request_error import RequestError


async def test_few_requests_begin_in_one_iteration_of_the_event_loop() -> None:
    """However many arrive together; what else the loop has to do comes between them, and they begin in order."""
    pacing, begun = Pacing(), list[int]()
    in_iterations: list[int] = []

    async def request(number: int) -> None:
        """One request."""
        await pacing.turn()
        begun.append(number)

    tasks = [asyncio.create_task(request(number)) for number in range(100)]
    while not all(task.done() for task in tasks):
        before = len(begun)
        await asyncio.sleep(0)
        in_iterations.append(len(begun) - before)
    assert begun == list(range(100))
    assert max(in_iterations) <= REQUESTS
    assert pacing.waiting == 0


async def test_a_single_request_begins_at_once() -> None:
    """Without giving up its place in the event loop."""
    pacing = Pacing()
    for _ in range(3):
        turn = pacing.turn()
        with pytest.raises(StopIteration):
            turn.send(None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_a_full_queue_refuses() -> None:
    pacing = Pacing(WaitingQueue(max_waiting=2))
    results = await asyncio.gather(*(pacing.turn() for _ in range(REQUESTS + 5)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, RequestError)]
    assert [error.status for error in refused] == [503] * 3
    assert results.count(None) == REQUESTS + 2


async def test_a_request_whose_client_has_gone_takes_no_turn() -> None:
    pacing, begun = Pacing(), list[str]()

    async def request(name: str, *, gone: bool) -> None:
        """One request."""
        client_is_gone.set(lambda: gone)
        await pacing.turn()
        begun.append(name)

    names = [f"first {number}" for number in range(REQUESTS)]
    tasks = [request(name, gone=False) for name in names]
    await asyncio.gather(*tasks, request("gone", gone=True), request("last", gone=False), return_exceptions=True)
    assert begun == [*names, "last"]
