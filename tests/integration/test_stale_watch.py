"""An operator that hears nothing any more does nothing any more, and looks well: its probe must tell the kubelet."""

from __future__ import annotations

import json
import re
import time
from http import HTTPStatus
from pathlib import Path

import pytest

from perennate.kube.kinds.registry import RESOURCES
from tests.support.cluster.apiserver import ControlPlane
from tests.support.cluster.operator_process import OperatorProcess
from tests.support.cluster.stalling_proxy import StallingProxy
from tools.cluster.host.processes import wait_until

pytestmark = pytest.mark.integration

_STALE_SECONDS = 5
_HEARD = re.compile(r'^perennate_watch_last_event_timestamp\{kind="(\w+)"\} (\S+)$', re.MULTILINE)


def heard(process: OperatorProcess) -> dict[str, float]:
    """When each watch was last heard of, as Prometheus reads it."""
    return {kind: float(value) for kind, value in _HEARD.findall(process.metrics())}


def reasons(process: OperatorProcess) -> list[str]:
    """What the liveness probe complains of."""
    _, body = process.probe("/healthz")
    return sorted(json.loads(body)["reasons"]) if body else []


def test_watches_that_fall_silent_fail_the_liveness_probe(own_plane: ControlPlane, tmp_path: Path) -> None:
    """Live watches keep it well for longer than silence may last; silence is found out, kind by kind; sound heals."""
    settings = {"PERENNATE_STALE_WATCH_SECONDS": str(_STALE_SECONDS)}
    with (
        StallingProxy(own_plane.kubeconfig, tmp_path) as proxy,
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "operator.log", election=False, settings=settings) as process,
    ):
        assert wait_until(lambda: heard(process).keys() == RESOURCES.watched.keys(), seconds=30), process.tail()
        longer = time.time() + _STALE_SECONDS + 1
        assert wait_until(lambda: min(heard(process).values()) > longer, seconds=60), process.tail()
        assert process.probe("/healthz")[0] == HTTPStatus.OK

        proxy.stall()
        stale = sorted(f"the watch of {kind} is stale" for kind in RESOURCES.watched)
        assert wait_until(lambda: reasons(process) == stale, seconds=60), process.probe("/healthz")
        assert process.probe("/healthz")[0] == HTTPStatus.INTERNAL_SERVER_ERROR

        proxy.flow()
        assert wait_until(lambda: process.probe("/healthz")[0] == HTTPStatus.OK, seconds=60), process.tail()
