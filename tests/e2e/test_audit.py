"""API calls of the operator on a cluster with a node, from the audit log of the API server.

tests/integration counts the same on an API server without nodes. Here real pods report their progress.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cluster.cluster_user import apply, holds, remove_namespace, start_loader, until, write_files
from tests.support.cluster.local_cluster import LocalCluster
from tests.support.cluster.waiting import eventually
from tools.demo import steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.cluster.apiserver import AuditEvent
    from tools.demo.cluster import Cluster

pytestmark = pytest.mark.e2e

NAMESPACE = "audited"
ACCOUNT = "system:serviceaccount:perennate-system:perennate-operator"
#: Seconds without any call by an idle operator.
REST_SECONDS = 15
RUN: dict[str, Any] = {
    "model": {"name": "model"},
    "trainer": {"estimator": {"class": "sklearn.linear_model.LogisticRegression"}},
    "data": {"train": {"uri": "pvc://rainfall-data/rows.csv"}, "target": "y"},
}
ONCE = {
    "get persistentvolumeclaims": 2,  # that of the store and that of the data
    "create persistentvolumeclaims": 1,
    "get trainingjobs": 1,
    "create jobs": 1,
    "patch jobs": 1,
}
"""Calls for a first run in a namespace that do not depend on the progress of its pods."""


MADE = ("create", "namespaces", NAMESPACE)
"""Verb, resource and name of the first call of these tests."""


def calls(namespace: str) -> list[AuditEvent]:
    """The calls of the operator in a namespace, under its own account. Its Lease is in another namespace."""
    return [event for event in LocalCluster().audit() if (event.user, event.namespace) == (ACCOUNT, namespace)]


def calls_of_the_run(place: Cluster) -> list[AuditEvent]:
    """All calls for the run, once the Event of its end, which is the last, is in the audit log."""
    reasons = ("get", "events", "--output=jsonpath={.items[*].reason}")
    assert eventually(lambda: "VersionPublished" in place.kubectl(*reasons), pause=1)
    assert eventually(lambda: calls(NAMESPACE)[-1].resource == "events", pause=1)
    return calls(NAMESPACE)


@pytest.fixture(scope="module")
def place(cluster: Cluster) -> Iterator[Cluster]:
    """A namespace with the operator and one finished run."""
    steps.install_operator(cluster)
    here = replace(cluster, namespace=NAMESPACE)
    steps.prepare_namespace(here)
    start_loader(here)
    write_files(here, {"rows.csv": "a,b,y\n" + "".join(f"{k % 7},{k % 5},{int(k % 7 > 3)}\n" for k in range(200))})
    apply(here, "TrainingJob", "only", RUN)
    until(here, "trainingjob", "only", holds("Complete"))
    yield here
    remove_namespace(cluster, NAMESPACE)


def test_calls_for_one_run(place: Cluster) -> None:
    """One claim and one Job. The status is written once for each stage that starts or ends, not for each poll."""
    made = Counter(f"{event.verb} {event.resource}" for event in calls_of_the_run(place))
    # Accepted, Job created, pod created, and start and end of three stages. One pass may see several of them.
    assert 3 <= made.pop("patch trainingjobs/status") <= 10
    assert 1 <= made.pop("create events") <= 4
    assert made == ONCE


def test_no_calls_at_rest(place: Cluster) -> None:
    """The operator makes no call for a finished run."""
    before = len(calls_of_the_run(place))
    time.sleep(REST_SECONDS)
    assert len(calls(NAMESPACE)) == before


def test_no_call_of_the_operator_was_forbidden(place: Cluster) -> None:
    """Since the namespace was created. Earlier, another test may have removed the roles."""
    events = LocalCluster().audit()
    (*_, begin) = [event for event in events if (event.verb, event.resource, event.name) == MADE]
    made = [event for event in events if event.user == ACCOUNT and event.time > begin.time]
    assert len(made) > 10
    assert [f"{event.verb} {event.resource} {event.namespace}" for event in made if event.denied] == []
