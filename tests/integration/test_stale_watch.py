"""An operator whose watches deliver nothing must fail its liveness probe."""

from __future__ import annotations

import json
import re
import time
from http import HTTPStatus
from pathlib import Path

import pytest

from perennate.kube.kinds.registry import RESOURCES
from tests.support.cluster.apiserver import InstalledPlane
from tests.support.cluster.operator_process import OperatorProcess
from tests.support.cluster.stalling_proxy import StallingProxy
from tests.support.cluster.waiting import eventually

pytestmark = pytest.mark.integration

_STALE_SECONDS = 5
_HEARD = re.compile(r'^perennate_watch_last_event_timestamp\{kind="(\w+)"\} (\S+)$', re.MULTILINE)


def last_event_times(process: OperatorProcess) -> dict[str, float]:
    """When each watch last received an event, from the metrics."""
    return {kind: float(value) for kind, value in _HEARD.findall(process.metrics())}


def reasons(process: OperatorProcess) -> list[str]:
    """The reasons in the answer of the liveness probe."""
    _, body = process.probe("/healthz")
    return sorted(json.loads(body)["reasons"]) if body else []


def test_stalled_watches_fail_the_liveness_probe(own_plane: InstalledPlane, tmp_path: Path) -> None:
    """The probe names the kinds, and succeeds again when the watches resume."""
    settings = {"PERENNATE_STALE_WATCH_SECONDS": str(_STALE_SECONDS)}
    with (
        StallingProxy(own_plane.operator_kubeconfig, tmp_path) as proxy,
        OperatorProcess(proxy.own_kubeconfig, tmp_path / "operator.log", election=False, settings=settings) as process,
    ):
        assert eventually(lambda: last_event_times(process).keys() == RESOURCES.watched.keys()), process.tail()
        longer = time.time() + _STALE_SECONDS + 1
        assert eventually(lambda: min(last_event_times(process).values()) > longer), process.tail()
        assert process.probe("/healthz")[0] == HTTPStatus.OK

        proxy.stall()
        stale = sorted(f"the watch of {kind} is stale" for kind in RESOURCES.watched)
        assert eventually(lambda: reasons(process) == stale), process.probe("/healthz")
        assert process.probe("/healthz")[0] == HTTPStatus.INTERNAL_SERVER_ERROR

        proxy.flow()
        assert eventually(lambda: process.probe("/healthz")[0] == HTTPStatus.OK), process.tail()
