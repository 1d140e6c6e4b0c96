"""`serve`: the traffic server and the operations server in one process and one event loop.

`bentoml serve` would run a parent that supervises one worker. With one process, a model that fails to load ends the
container, so that Kubernetes reports it, and probes are answered beside the traffic. Scaling is by pods.
benchmarks/RESULTS.md compares both.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import time
from typing import TYPE_CHECKING, Final

import uvloop

from perennate.api.documents.serving_config import HttpConfig
from perennate.serving.http.components import Components
from perennate.serving.http.listening import listening
from perennate.serving.http.operations import Operations
from perennate.serving.lifecycle import Lifecycle
from perennate.serving.metrics import OTHER, Metrics
from perennate.serving.port.access_log import AccessLog
from perennate.serving.port.connections import ConnectionLimits, protocol_class, raise_descriptor_limit
from perennate.serving.port.large_bodies import LargeBodies
from perennate.serving.port.stack import traffic_app

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from perennate.serving.config import ServingSettings

LINGER_SECONDS: Final = 2.0
"""After SIGTERM, how long the pod still answers with `connection: close`, so that clients leave before it closes their
connections."""

logger = logging.getLogger(__name__)


def serve(settings: ServingSettings) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests in progress and write the captured rows.

    Raises:
        ArtifactError: the version cannot be served.
        ListenError: a port cannot be bound.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: ServingSettings) -> None:
    lifecycle, metrics = Lifecycle(), Metrics()
    operations = Operations(lifecycle, metrics)
    stopped = _stop_signal(lifecycle)
    async with listening(operations.app, host=settings.host, port=settings.operations_port):
        components = await asyncio.to_thread(Components.load, settings, metrics)
        operations.attach(components.model, components.recorder)
        try:
            if not lifecycle.is_draining:
                await _answer_until(stopped, settings, components, lifecycle, metrics)
        finally:
            await asyncio.to_thread(components.close)
    logger.info("Stopped")


async def _answer_until(
    stopped: asyncio.Event, settings: ServingSettings, components: Components, lifecycle: Lifecycle, metrics: Metrics
) -> None:
    """Run the traffic server until the stop signal, and then until its last request is answered."""
    http, large = settings.serving.http or HttpConfig(), LargeBodies()
    app = traffic_app(
        await asyncio.to_thread(_bentoml_app, components, lifecycle, large),
        metrics=metrics,
        lifecycle=lifecycle,
        log=AccessLog(http.access_log, clock=time.time),
        large=large,
        is_overloaded=components.predictor.lanes.is_full,
        waiting=lambda: components.predictor.lanes.waiting,
        allowed_origins=http.allowed_origins,
    )
    limits = ConnectionLimits(http.keep_alive_seconds, raise_descriptor_limit(http.max_connections))
    protocol = protocol_class(limits, lambda code: metrics.requests.labels(OTHER, str(int(code))).inc())
    # What exists now lives as long as the pod. Without it, a garbage collection takes a hundredth of the time.
    gc.collect()
    gc.freeze()
    async with listening(
        app,
        host=settings.host,
        port=settings.traffic_port,
        protocol=protocol,
        keep_alive_seconds=limits.keep_alive_seconds,
    ) as task:
        lifecycle.become_ready()
        logger.info("Serving %s version %s", components.model.manifest.model, components.model.digest)
        waiter = asyncio.create_task(stopped.wait())
        await asyncio.wait({waiter, task}, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        logger.info("Draining")
        await asyncio.wait({task}, timeout=LINGER_SECONDS)


def _bentoml_app(components: Components, lifecycle: Lifecycle, large: LargeBodies) -> ASGIApp:
    # This import takes half of the start-up time; probes are answered in the meantime.
    from perennate.serving.http.service import create_app  # noqa: PLC0415

    return create_app(components.predictor, components.feedback, lifecycle, large, components.token)


def _stop_signal(lifecycle: Lifecycle) -> asyncio.Event:
    """An event that SIGTERM and SIGINT set. They also start draining, even if the pod was never ready."""
    stopped = asyncio.Event()

    def stop() -> None:
        lifecycle.drain()
        stopped.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    return stopped
