"""The operator's Prometheus metrics.

Labels come from closed sets, save the names of DriftPolicies, whose series go with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from perennate.reconcilers.plan import Reading

_PASS_SECONDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0)
_POLICY: Final = ("namespace", "policy")


class Metrics:
    """All metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._reconciled = Counter(
            "perennate_reconcile", "Passes over objects, by how they ended.", ["kind", "result"], registry=registry
        )
        self._duration = Histogram(
            "perennate_reconcile_duration_seconds",
            "Time of a pass.",
            ["kind"],
            buckets=_PASS_SECONDS,
            registry=registry,
        )
        self._requests = Counter(
            "perennate_api_requests", "Calls to the API server; code 0: no answer.", ["verb", "code"], registry=registry
        )
        self.queue_depth = Gauge("perennate_workqueue_depth", "Objects that wait for a pass.", registry=registry)
        self.queue_oldest = Gauge(
            "perennate_workqueue_oldest_seconds", "How long the oldest of them waits.", registry=registry
        )
        self.watch_heard = Gauge(
            "perennate_watch_last_event_timestamp",
            "When the watch of a kind was last heard of, in seconds since 1970; bookmarks count.",
            ["kind"],
            registry=registry,
        )
        self.loop_lag = Gauge(
            "perennate_event_loop_lag_seconds", "How late the event loop was at its last tick.", registry=registry
        )
        self.leader = Gauge("perennate_leader", "Whether this operator holds the Lease.", registry=registry)
        self._objects = Gauge(
            "perennate_objects",
            "Objects by kind and phase; a DriftPolicy has none, which is `None`.",
            ["kind", "phase"],
            registry=registry,
        )
        self._feature = Gauge(
            "perennate_drift_feature",
            "What the last evaluation measured of a feature, the `score` or the `prediction`: the size of its change "
            "by each method of spec.features (psi is PSI*), pValue before Holm's correction, designEffect (1 for "
            "independent rows). Absent while there is no verdict.",
            (*_POLICY, "feature", "statistic"),
            registry=registry,
        )
        self._rows = Gauge(
            "perennate_drift_window_rows",
            "Rows in the window of the last evaluation, rounded to two digits.",
            _POLICY,
            registry=registry,
        )
        self._performance = Gauge(
            "perennate_performance",
            "Labelled performance in the window, rounded as in status.",
            (*_POLICY, "metric"),
            registry=registry,
        )
        self._estimated = Gauge(
            "perennate_estimated_performance",
            "Performance that the scores of the window let expect, without labels, rounded as in status.",
            (*_POLICY, "metric"),
            registry=registry,
        )
        self._features: dict[tuple[str, str], set[tuple[str, str]]] = {}

    def api_request(self, verb: str, code: int) -> None:
        """A call was answered; code 0: it was not."""
        self._requests.labels(verb, str(code)).inc()

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        """A pass ended."""
        self._reconciled.labels(kind, result).inc()
        self._duration.labels(kind).observe(seconds)

    def phases(self, counts: dict[tuple[str, str], int]) -> None:
        """How many objects there are, by kind and phase."""
        self._objects.clear()
        for (kind, phase), number in counts.items():
            self._objects.labels(kind, phase).set(number)

    def policy(self, namespace: str, name: str, status: dict[str, Any], readings: Sequence[Reading] | None) -> None:
        """The newest figures of a DriftPolicy, from its status and from what was measured, if anything was anew."""
        if readings is not None:
            self._measured(namespace, name, readings)
        rows = status.get("window", {}).get("rows")
        if rows is not None:
            self._rows.labels(namespace, name).set(rows)
        for gauge, field in ((self._performance, "performance"), (self._estimated, "estimatedPerformance")):
            found = status.get(field)
            gauge.remove_by_labels({"namespace": namespace, "policy": name})
            if found is not None:
                gauge.labels(namespace, name, found["metric"]).set(found["value"])

    def forget_policy(self, namespace: str, name: str) -> None:
        """A DriftPolicy is gone, and its series with it."""
        self._features.pop((namespace, name), None)
        for gauge in (self._feature, self._rows, self._performance, self._estimated):
            gauge.remove_by_labels({"namespace": namespace, "policy": name})

    def _measured(self, namespace: str, name: str, readings: Sequence[Reading]) -> None:
        """Set the series of what was measured; those of what no longer is go."""
        now = {(reading.feature, reading.statistic) for reading in readings}
        for feature, statistic in self._features.get((namespace, name), set()) - now:
            self._feature.remove(namespace, name, feature, statistic)
        for reading in readings:
            self._feature.labels(namespace, name, reading.feature, reading.statistic).set(reading.value)
        self._features[namespace, name] = now
