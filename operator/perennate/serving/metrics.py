"""Prometheus metrics of a serving pod, in a registry of its own and with bounded label values.

BentoML's metrics are disabled: their `endpoint` label is the raw path, so every unknown URL adds a time series, and
they count probes as requests.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

PREFIX: Final = "perennate_serving_"
ENDPOINTS: Final = {"/predict": "predict", "/feedback": "feedback"}
OTHER: Final = "other"
INFER: Final = "infer"
INFER_PREFIX: Final = "/v2/models/"
INFER_SUFFIX: Final = "/infer"
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def endpoint(path: str) -> str:
    """The `endpoint` label of a path: `predict`, `feedback`, `infer` or `other`."""
    if path.startswith(INFER_PREFIX) and path.endswith(INFER_SUFFIX):
        return INFER
    return ENDPOINTS.get(path, OTHER)


class Metrics:
    """All metrics of a serving pod."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = self._counter("requests", "Requests answered, by endpoint and status code.", "endpoint", "code")
        self.seconds = Histogram(
            f"{PREFIX}request_duration_seconds",
            "Time from the request headers to the end of the response.",
            ["endpoint"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.in_flight = self._gauge("requests_in_flight", "Requests in progress.")
        self.waiting = self._gauge("requests_waiting", "Requests that have arrived and wait for their turn.")
        self.rows = self._counter("rows", "Rows predicted.")
        self.refused = self._counter(
            "rows_refused", "Rows of requests that the model refused; they are counted for drift."
        )
        self.labels = self._counter("labels", "Labels received, by outcome.", "outcome")
        self.recording_errors = self._counter("recording_errors", "Batches that could not be counted for drift.")
        self.captured = self._counter("captured", "Captured rows and labels written to the store.", "kind")
        self.dropped = self._counter(
            "capture_dropped", "Captured rows and labels lost: queue full or store not writable.", "kind"
        )
        self.model = self._gauge(
            "model_info", "Always 1; the labels name the model and the version.", "model", "version"
        )

    def render(self) -> bytes:
        """The metrics in the Prometheus text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"{PREFIX}{name}", text, labels, registry=self.registry)
