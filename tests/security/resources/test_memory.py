"""The memory of the operator while a tenant fills a namespace with the largest objects that it may create.

The operator is started again, so that its lists are measured too.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from perennate.kube.kinds.registry import RESOURCES
from tests.security.resources.conftest import tenant_namespace
from tests.support.cluster import manifests
from tests.support.cluster.kube_user import Refused
from tests.support.cluster.waiting import eventually

if TYPE_CHECKING:
    from perennate.api.meta import Manifest
    from tests.support.cluster.kube_user import KubeUser
    from tests.support.cluster.operator_process import OperatorProcess

pytestmark = pytest.mark.integration
LIMIT = 256 * 2**20
PART_OF = {"app.kubernetes.io/part-of": "perennate"}
STEP = {"class": "sklearn.preprocessing.StandardScaler"}


def many_lists(namespace: str, number: int) -> Manifest:
    """A TrainingJob just below 256 KiB that would take twenty times as much memory when it is decoded."""
    params = {f"p{index}": [[1]] * 256 for index in range(60)}
    steps = [{**STEP, "params": params}] * 3
    estimator = {"class": "sklearn.svm.SVC", "params": params, "preprocessing": steps}
    return manifests.training_job(f"lists-{number}", namespace, suspend=True, trainer={"estimator": estimator})


def wide_texts(namespace: str, number: int) -> Manifest:
    """A TrainingJob just below 256 KiB that takes four times as much: one letter makes all of a text wide."""
    container = {"image": "evil:1", "args": ["\U0001f600" + "x" * 4090] * 62}
    return manifests.training_job(f"wide-{number}", namespace, suspend=True, trainer={"container": container})


def long_texts(namespace: str, number: int) -> Manifest:
    """A TrainingJob of half a megabyte."""
    container = {"image": "evil:1", "command": ["\u00ff" * 4096] * 32, "args": ["x" * 4096] * 64}
    return manifests.training_job(f"texts-{number}", namespace, suspend=True, trainer={"container": container})


def labelled_job(namespace: str, number: int) -> Manifest:
    """A Job of the tenant's with our label and half a megabyte of variables."""
    env = [{"name": f"V{index}", "value": "x"} for index in range(12_000)]
    template = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "evil:1", "env": env}]}
    metadata = {"name": f"job-{number}", "namespace": namespace, "labels": PART_OF}
    spec = {"suspend": True, "template": {"spec": template}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def owned_service(namespace: str, number: int, owner: Manifest) -> Manifest:
    """A Service with our label, whose controller is a custom resource of the tenant's, with 200 KB of annotations."""
    reference = {name: owner[name] for name in ("apiVersion", "kind")} | {
        name: owner["metadata"][name] for name in ("name", "uid")
    }
    metadata = {
        "name": f"service-{number}",
        "namespace": namespace,
        "labels": PART_OF,
        "annotations": {"a": "x" * 200_000},
        "ownerReferences": [{**reference, "controller": True}],
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 80}]}}


def test_the_objects_of_one_tenant_do_not_fill_the_memory(
    operator: OperatorProcess, tenant: KubeUser, administrator: KubeUser, namespace: str, full: bool
) -> None:
    """The operator stays within its memory, and another tenant is served meanwhile and after a restart."""
    training_job = RESOURCES.primary["TrainingJob"]
    peak = Peak(operator)
    for index in range(20 if full else 1):
        with pytest.raises(Refused):
            tenant.create(manifests.training_job(f"bomb-{index}", namespace, **params_bomb()))
    honest = tenant_namespace(administrator, "honest")
    owner = tenant.create(wide_texts(namespace, 0))
    for index in range(1, 200 if full else 45):
        tenant.create(wide_texts(namespace, index))
        peak.look()
        if full or index % 20 == 0:
            tenant.create(many_lists(namespace, index))
            tenant.create(long_texts(namespace, index))
            tenant.create(labelled_job(namespace, index))
            tenant.create(owned_service(namespace, index, owner))
    administrator.create(manifests.training_job("run", honest, suspend=True))
    assert eventually(lambda: peak.look() and phase(administrator, honest) == "Suspended")
    operator.kill()
    operator.start().wait_ready()
    administrator.edit(training_job, honest, "run", {"spec": {"suspend": False}})
    assert eventually(lambda: peak.look() and phase(administrator, honest) == "Pending", pause=0.05)
    assert any("MiB of the operator's memory" in record["message"] for record in operator.records())
    assert peak.bytes < LIMIT, f"{peak.bytes / 2**20:.0f} MiB"


@dataclass
class Peak:
    """The largest memory of the operator that was seen."""

    operator: OperatorProcess
    bytes: int = 0

    def look(self) -> bool:
        """Look again; True, so that a condition can contain it."""
        pages = int(Path(f"/proc/{self.operator.pid}/statm").read_text().split()[1])
        self.bytes = max(self.bytes, pages * os.sysconf("SC_PAGE_SIZE"))
        return True


def phase(user: KubeUser, namespace: str) -> str:
    """The phase of the honest run."""
    found = user.get(RESOURCES.primary["TrainingJob"], namespace, "run") or {}
    return str(found.get("status", {}).get("phase", ""))


def params_bomb() -> dict[str, Any]:
    """The fields of a TrainingJob of 1.35 MB of empty maps."""
    return {"trainer": {"estimator": {"class": "sklearn.svm.SVC", "params": {"a": [{}] * 450_000}}}}
