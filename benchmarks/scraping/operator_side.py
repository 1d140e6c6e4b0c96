"""`python -m benchmarks.scraping.operator_side PODS HOSTILE SECONDS`: scrape all targets as the operator does.

Prints a line of JSON with the fields of `measure.Round`, and when it began and ended.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
import time

from benchmarks.scraping.layout import LARGE, targets
from perennate.kube.monitoring.monitor import Monitor
from perennate.kube.monitoring.scrape import HttpMetricsSource
from perennate.kube.monitoring.window_store import WindowStore
from perennate.kube.runtime.queue import WorkQueue
from tests.support.pods.watched_target import Cluster, key_in, watch_in

_BEAT = 0.01


class Beats:
    """Measures how late a task runs that wakes up a hundred times a second."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.busy: list[float] = []

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            began, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(_BEAT)
            self.delays.append(time.perf_counter() - began - _BEAT)
            self.busy.append(time.thread_time() - cpu)


async def measure(port: int, digests: dict[str, str], hostile: int, seconds: float) -> dict[str, float]:
    """Scrape for some seconds."""
    cluster, beats = Cluster(), Beats()
    source = HttpMetricsSource(port=port, allowed=lambda _: True)
    monitor = Monitor(source, cluster.serving_pods, WorkQueue(), WindowStore(cluster.client))
    for target in targets(hostile):
        cluster.add_target(target.namespace)
        for address in target.addresses:
            cluster.add_pod(target.namespace, address)
        watch = watch_in(target.namespace, None, profile_digest=digests[str(target.kind in LARGE)], window=86_400.0)
        monitor.apply(key_in(target.namespace), watch)
    gc.freeze()  # As the operator does when it has started.
    began, cpu = time.monotonic(), time.process_time()
    tasks = [asyncio.create_task(monitor.run()), asyncio.create_task(beats.run())]
    await asyncio.sleep(seconds)
    ended = time.monotonic()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    delays = sorted(beats.delays)
    return {
        "began": began,
        "ended": ended,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "cpu": (time.process_time() - cpu) / (ended - began),
        "delay": delays[-1],
        "delay99": delays[int(0.99 * len(delays))],
        "busy": max(beats.busy),
    }


if __name__ == "__main__":
    pods = json.loads(sys.argv[1])
    measured = measure(pods["port"], pods["digests"], int(sys.argv[2]), float(sys.argv[3]))
    print(json.dumps(asyncio.run(measured)))
