"""Prometheus metrics of the operator.

Labels come from closed sets, except the names of objects and features. The series of an object are removed with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from perennate.reconcilers.gauges import GaugeFamily, GaugeUpdate

_PASS_SECONDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0)


class Metrics:
    """All metrics, in their own registry. `gauges` are those about single objects, by kind."""

    def __init__(self, gauges: Mapping[str, tuple[GaugeFamily, ...]] = MappingProxyType({})) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._reconciled = Counter(
            "perennate_reconcile", "Passes over objects, by result.", ["kind", "result"], registry=registry
        )
        self._duration = Histogram(
            "perennate_reconcile_duration_seconds",
            "Duration of a pass.",
            ["kind"],
            buckets=_PASS_SECONDS,
            registry=registry,
        )
        self._requests = Counter(
            "perennate_api_requests",
            "Calls to the API server; code 0: no response.",
            ["verb", "code"],
            registry=registry,
        )
        self.queue_depth = Gauge("perennate_workqueue_depth", "Objects that wait for a pass.", registry=registry)
        self.queue_oldest = Gauge(
            "perennate_workqueue_oldest_seconds", "Age of the oldest waiting object or running pass.", registry=registry
        )
        self.watch_last_data = Gauge(
            "perennate_watch_last_event_timestamp",
            "Time of the last data on the watch of a kind, in seconds since 1970; bookmarks count. "
            "With `watchNamespaces`, of the watch with the oldest data.",
            ["kind"],
            registry=registry,
        )
        self.loop_lag = Gauge(
            "perennate_event_loop_lag_seconds", "Delay of the last tick of the event loop.", registry=registry
        )
        self.leader = Gauge("perennate_leader", "Whether this operator holds the Lease.", registry=registry)
        self._objects = Gauge(
            "perennate_objects",
            "Objects by kind and phase; the phase is `None` for a kind that has no phase.",
            ["kind", "phase"],
            registry=registry,
        )
        self._families = gauges
        self.object_gauges_by_name = {
            family.name: Gauge(
                family.name,
                family.documentation,
                ("namespace", family.object_label, *family.labels),
                registry=registry,
            )
            for families in gauges.values()
            for family in families
        }
        self._series: dict[tuple[str, str, str], set[tuple[str, ...]]] = {}

    def api_request(self, verb: str, code: int) -> None:
        """Count a call; code 0 if there was no response."""
        self._requests.labels(verb, str(code)).inc()

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        """Count a pass and its duration."""
        self._reconciled.labels(kind, result).inc()
        self._duration.labels(kind).observe(seconds)

    def phases(self, counts: dict[tuple[str, str], int]) -> None:
        """Set the number of objects by kind and phase."""
        self._objects.clear()
        for (kind, phase), number in counts.items():
            self._objects.labels(kind, phase).set(number)

    def object_gauges(self, kind: str, namespace: str, name: str, updates: tuple[GaugeUpdate, ...]) -> None:
        """Set gauges about an object; each update replaces its series of one gauge."""
        for update in updates:
            gauge = self.object_gauges_by_name[update.family.name]
            for value in update.values:
                gauge.labels(namespace, name, *value.labels).set(value.value)
            self._keep(update.family, namespace, name, {value.labels for value in update.values})

    def forget_object(self, kind: str, namespace: str, name: str) -> None:
        """Remove all series of an object that is gone."""
        for family in self._families.get(kind, ()):
            self._keep(family, namespace, name, set())

    def _keep(self, family: GaugeFamily, namespace: str, name: str, labels: set[tuple[str, ...]]) -> None:
        """Remove all series of an object in a gauge except those with these labels."""
        gauge = self.object_gauges_by_name[family.name]
        for gone in self._series.pop((family.name, namespace, name), set()) - labels:
            gauge.remove(namespace, name, *gone)
        if labels:
            self._series[family.name, namespace, name] = labels
