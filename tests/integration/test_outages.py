"""The API server restarts, or has no CRDs of ours."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import pytest

from perennate.kube.kinds.registry import RESOURCES
from perennate.kube.runtime.resources import JOB
from tests.support.cluster import manifests
from tests.support.cluster.apiserver import ControlPlane, InstalledPlane
from tests.support.cluster.kube_user import KubeUser
from tests.support.cluster.operator_process import OperatorProcess
from tests.support.cluster.pod_actor import PodActor, play_success

pytestmark = pytest.mark.integration
TRAINING_JOB = RESOURCES.primary["TrainingJob"]


def test_the_operator_survives_a_restart_of_the_api_server(own_plane: InstalledPlane, tmp_path: Path) -> None:
    """The operator reopens its watches, sees new objects, and repeats no action."""
    user = KubeUser(own_plane.kubeconfig)
    namespace = user.ensure_namespace("outage")
    with OperatorProcess(own_plane.operator_kubeconfig, tmp_path / "operator.log", election=False) as process:
        user.create(manifests.training_job("before", namespace))
        user.wait_for(TRAINING_JOB, namespace, "before", phase="Pending")
        own_plane.restart_api_server()
        user.create(manifests.training_job("after", namespace))
        with PodActor(user, namespace, play_success):
            for name in ("before", "after"):
                user.wait_for(TRAINING_JOB, namespace, name, phase="Succeeded")
        assert process.probe("/healthz")[0] == HTTPStatus.OK
    assert len(user.list(JOB, namespace)) == 2


def test_the_operator_exits_if_the_crds_are_missing(tmp_path: Path) -> None:
    """The log names the cause, and the kubelet restarts the pod."""
    with ControlPlane(tmp_path / "plane") as plane:
        process = OperatorProcess(plane.kubeconfig, tmp_path / "operator.log", election=False).start()
        with pytest.raises(AssertionError, match="does not know DriftPolicy: install the CRDs first"):
            process.wait_ready()
        assert process.exit_code == 1
