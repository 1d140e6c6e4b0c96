"""The window of a policy survives a restart of the operator. It is stored in a DriftWindow and read at the start."""

from __future__ import annotations

import base64
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from perennate.builders.window import FIELD
from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import DRIFT_WINDOW, POD, controller_of
from tests.support.cluster.apiserver import InstalledPlane, read_audit
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.operator_process import OperatorProcess
from tests.support.cluster.waiting import eventually
from tests.support.cluster.windows import GRAIN_SECONDS, drift_windows, rows, scraped, served
from tools.cluster.host.processes import wait_until

pytestmark = pytest.mark.integration
SERIES = 'perennate_drift_feature{feature="wind",namespace="window",policy="watch",statistic="psi"}'
MODEL_DEPLOYMENT, DRIFT_POLICY = RESOURCES.primary["ModelDeployment"], RESOURCES.primary["DriftPolicy"]


def statuses(user: KubeUser, namespace: str) -> str:
    """The statuses of all objects, for the message of a failed assertion."""
    found = [*user.list(MODEL_DEPLOYMENT, namespace), *user.list(DRIFT_POLICY, namespace), *user.list(POD, namespace)]
    return "\n".join(f"{one['metadata']['name']}: {one.get('status')}" for one in found)


def messages(process: OperatorProcess) -> str:
    """The log messages of the operator since its start."""
    return "\n".join(record["message"] for record in process.records())


def test_the_window_survives_a_restart(tmp_path: Path, own_plane: InstalledPlane) -> None:
    """Rows from before, during and after a restart are in the window, each once.

    Nothing is written at rest. An invalid DriftWindow costs the window and a log line. Deleting the policy deletes the
    DriftWindow and the metrics of its features.
    """
    user = KubeUser(own_plane.kubeconfig)
    namespace = user.ensure_namespace("window")
    process = OperatorProcess(own_plane.operator_kubeconfig, tmp_path / "log")
    with served(user, namespace) as pod, process:
        assert eventually(lambda: scraped(user, namespace)), statuses(user, namespace)
        pod.count(600)
        assert eventually(lambda: rows(user, namespace) == 600), statuses(user, namespace)
        assert process.terminate() == 0, process.tail()
        (stored,) = drift_windows(user, namespace)
        policy = user.get(DRIFT_POLICY, namespace, "watch") or {}
        ready_before = ready(user, namespace)
        assert (controller_of(stored) or {})["uid"] == policy["metadata"]["uid"]

        pod.count(200)
        process.start().wait_ready()
        assert eventually(lambda: rows(user, namespace) == 800), process.tail()
        assert ready(user, namespace) == ready_before, "Ready does not change after a restart"
        assert "its window continues with 600 rows" in messages(process)
        before = stored["data"]
        assert eventually(lambda: drift_windows(user, namespace)[0]["data"] != before), (
            "the window is stored while the operator runs"
        )
        offset = own_plane.audit_log.stat().st_size
        wait_until(lambda: process.exit_code is not None, seconds=2.5 * GRAIN_SECONDS, pause=1)
        assert writes(own_plane, offset).keys() <= {"update leases"}, writes(own_plane, offset)

        process.kill()
        garbage = {FIELD: base64.b64encode(b"garbage").decode()}
        user.edit(DRIFT_WINDOW, namespace, stored["metadata"]["name"], garbage)
        process.start().wait_ready()
        assert eventually(lambda: "its window starts empty" in messages(process)), process.tail()
        pod.count(100)
        assert eventually(lambda: rows(user, namespace) == 900), process.tail()
        assert process.probe("/healthz")[0] == 200

        assert eventually(lambda: SERIES in process.metrics()), statuses(user, namespace)
        user.call("DELETE", DRIFT_POLICY.path(namespace, "watch"))
        assert eventually(lambda: drift_windows(user, namespace) == [])
        assert eventually(lambda: SERIES not in process.metrics())


def ready(user: KubeUser, namespace: str) -> dict[str, Any]:
    """The condition Ready of the policy."""
    conditions = (user.get(DRIFT_POLICY, namespace, "watch") or {})["status"]["conditions"]
    return next(condition for condition in conditions if condition["type"] == "Ready")


def writes(plane: InstalledPlane, offset: int) -> Counter[str]:
    """What the operator wrote since byte `offset` of the audit log."""
    events = read_audit(plane.audit_log, offset=offset)
    ours = (event for event in events if event.writes and event.agent.startswith("perennate-operator"))
    return Counter(f"{event.verb} {event.resource}" for event in ours)
