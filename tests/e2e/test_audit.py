"""The operator on a cluster with a node, by the API server's audit log: what a run costs, and that nothing is refused.

tests/integration counts the same on an API server without nodes; here real pods report how far they are.
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
#: Seconds in which an operator that has nothing to do must stay silent.
REST_SECONDS = 15
RUN: dict[str, Any] = {
    "model": {"name": "model"},
    "trainer": {"estimator": {"class": "sklearn.linear_model.LogisticRegression"}},
    "data": {"train": {"uri": "pvc://rainfall-data/rows.csv"}, "target": "y"},
}
ONCE = {
    "get persistentvolumeclaims": 2,  # the store's and that of the rows
    "create persistentvolumeclaims": 1,
    "get trainingjobs": 1,
    "create jobs": 1,
    "patch jobs": 1,
}
"""What a first run in a namespace costs once, however its pods behave."""


MADE = ("create", "namespaces", NAMESPACE)
"""Verb, resource and name of the call that begins these tests."""


def calls(namespace: str) -> list[AuditEvent]:
    """The operator's calls in a namespace, under its own account; its Lease is elsewhere."""
    return [event for event in LocalCluster().audit() if (event.user, event.namespace) == (ACCOUNT, namespace)]


def calls_of_the_run(place: Cluster) -> list[AuditEvent]:
    """All calls for the run, once the Event of its end, which is the last, is in the audit log."""
    reasons = ("get", "events", "--output=jsonpath={.items[*].reason}")
    assert eventually(lambda: "VersionPublished" in place.kubectl(*reasons), pause=1)
    assert eventually(lambda: calls(NAMESPACE)[-1].resource == "events", pause=1)
    return calls(NAMESPACE)


@pytest.fixture(scope="module")
def place(cluster: Cluster) -> Iterator[Cluster]:
    """A namespace with the operator at work and one run to its end."""
    steps.install_operator(cluster)
    here = replace(cluster, namespace=NAMESPACE)
    steps.prepare_namespace(here)
    start_loader(here)
    write_files(here, {"rows.csv": "a,b,y\n" + "".join(f"{k % 7},{k % 5},{int(k % 7 > 3)}\n" for k in range(200))})
    apply(here, "TrainingJob", "only", RUN)
    until(here, "trainingjob", "only", holds("Complete"))
    yield here
    remove_namespace(cluster, NAMESPACE)


def test_a_run_costs_what_it_must(place: Cluster) -> None:
    """One claim and one Job; the status is written once for each stage that starts or ends, not for each poll."""
    made = Counter(f"{event.verb} {event.resource}" for event in calls_of_the_run(place))
    # Accepted, Job made, pod there, and begin and end of three stages, of which some are seen together.
    assert 3 <= made.pop("patch trainingjobs/status") <= 10
    assert 1 <= made.pop("create events") <= 4
    assert made == ONCE


def test_at_rest_nothing_is_asked_or_written(place: Cluster) -> None:
    """The operator makes no call for a finished run."""
    before = len(calls_of_the_run(place))
    time.sleep(REST_SECONDS)
    assert len(calls(NAMESPACE)) == before


def test_the_operator_was_never_refused(place: Cluster) -> None:
    """Its roles cover every call since the namespace was created; before that, another test may have removed them."""
    told = LocalCluster().audit()
    (*_, begin) = [event for event in told if (event.verb, event.resource, event.name) == MADE]
    made = [event for event in told if event.user == ACCOUNT and event.time > begin.time]
    assert len(made) > 10
    assert [f"{event.verb} {event.resource} {event.namespace}" for event in made if event.denied] == []
