"""The operator: `python -m perennate.controllers`."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping

import kopf

from perennate.controllers.election import Election
from perennate.controllers.environment import Environment, InvalidEnvironmentError, read_environment
from perennate.controllers.health import Vitals, serve_health
from perennate.controllers.metrics_server import serve_metrics, token_review
from perennate.controllers.operator import Operator
from perennate.controllers.startup import build_registry, build_settings
from perennate.kube.kinds.registry import REGISTRY
from perennate.telemetry import logs
from perennate.telemetry.metrics import Metrics

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_logger = logging.getLogger("perennate.controllers")


def main(environ: Mapping[str, str]) -> int:
    """Run until a signal or a fatal error; return the exit code."""
    try:
        environment = read_environment(environ)
    except InvalidEnvironmentError as error:
        sys.stderr.write(f"perennate: {error}\n")
        return 2
    logs.configure(environment.log_level)
    metrics, vitals = Metrics(REGISTRY.gauges), Vitals()
    health = serve_health(vitals, environment.health_port)
    review = token_review(environ) if environment.metrics_token_review else None
    server = serve_metrics(metrics.registry, environment.metrics_port, review)
    _logger.info("Serving probes on port %d and metrics on port %d", health.server_port, server.server_port)
    try:
        asyncio.run(_run(environ, environment, metrics, vitals))
    except Exception:
        _logger.exception("The operator failed")
        return 1
    finally:
        health.shutdown()
        server.shutdown()
    return 0


async def _run(environ: Mapping[str, str], environment: Environment, metrics: Metrics, vitals: Vitals) -> None:
    """Become the leader, then reconcile until a signal.

    The Lease is released last, so that no other operator acts while this one drains its queue.
    """
    loop, elected, stopping = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    # Before the first probe succeeds. kopf installs its own handlers; `stop_flag` tells it of an earlier signal.
    for number in _SIGNALS:
        loop.add_signal_handler(number, stopping.set)
    election = Election(
        environ,
        namespace=environment.namespace,
        identity=environment.identity,
        recorder=metrics,
        on_elected=lambda: loop.call_soon_threadsafe(elected.set),
    )
    if environment.leader_election:
        vitals.standby = True
        election.start()
        if not await _elected_before_stop(elected, stopping):
            election.stop()
            return
        vitals.standby = False
    metrics.leader.set(1)
    try:
        operator = Operator(environ, environment, metrics, vitals)
        # Set here because kopf would look up the user name, and the uid of a pod has none.
        await kopf.operator(
            registry=build_registry(operator),
            settings=build_settings(),
            standalone=True,
            clusterwide=not environment.watch_namespaces,
            namespaces=environment.watch_namespaces,
            identity=environment.identity,
            stop_flag=stopping,
        )
    finally:
        await asyncio.to_thread(election.stop)


async def _elected_before_stop(elected: asyncio.Event, stopping: asyncio.Event) -> bool:
    """Wait until this operator is elected; False if it has to stop."""
    waits = {asyncio.create_task(stopping.wait()), asyncio.create_task(elected.wait())}
    _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return not stopping.is_set()


if __name__ == "__main__":
    sys.exit(main(os.environ))
